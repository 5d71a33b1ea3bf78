#!/usr/bin/python3
"""Writes the table of values into a chart's README.md, between the lines `<!-- values -->` and
`<!-- end of values -->`, from the comments of values.yaml. `tools/gen.sh` runs it.

  values_table.py REPOSITORY FOLDER     FOLDER is laid out as the repository

In values.yaml a comment describes the value below it, and `## Title` begins a section. A map is one
row when values.schema.json lets any key into it, else each of its keys is one.
"""

import json
import pathlib
import re
import sys

import yaml

CHARTS = ("charts/tracekeeper", "charts/tracekeeper-crds")
BEGIN, END = "<!-- values -->\n", "<!-- end of values -->\n"
KEY = re.compile(r"^( *)([A-Za-z]\w*):")


def comments_of(text):
    """({path: comment}, {path: title of the section that begins there})"""
    comments, sections, pending, title, stack = {}, {}, [], None, []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("## "):
            title, pending = stripped[3:], []
        elif stripped.startswith("# "):
            pending.append(stripped[2:])
        elif match := KEY.match(line):
            depth = len(match[1]) // 2
            stack = [*stack[:depth], match[2]]
            path = tuple(stack)
            comments[path] = " ".join(pending)
            if title:
                sections[path], title = title, None
            pending = []
        else:
            pending = []
    return comments, sections


def leaves(schema, defaults, path=()):
    """(path, default) of each row, in the order of values.yaml."""
    for name, value in defaults.items():
        below = schema["properties"][name]
        if isinstance(value, dict) and "properties" in below and value:
            yield from leaves(below, value, (*path, name))
        else:
            yield (*path, name), value


def table(values_text, schema):
    defaults = yaml.safe_load(values_text)
    comments, sections = comments_of(values_text)
    lines = []
    for path, value in leaves(schema, defaults):
        heads = [sections[path[:depth]] for depth in range(1, len(path) + 1) if path[:depth] in sections]
        for head in heads:
            lines += ["", f"### {head}", ""]
            sections = {key: title for key, title in sections.items() if title != head}
        if heads or not lines:
            lines += ["| value | default | |", "|---|---|---|"]
        text = comments.get(path, "").replace("|", "\\|")
        shown = json.dumps(value).replace("|", "\\|")
        lines.append(f"| `{'.'.join(path)}` | `{shown}` | {text} |")
    return "\n".join(lines).strip("\n") + "\n"


def write(repository, folder, chart):
    source = repository / chart
    text = (source / "README.md").read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"values_table.py: {chart}/README.md must hold {BEGIN.strip()} and {END.strip()} once each")
    schema = json.loads((source / "values.schema.json").read_text())
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    target = folder / chart
    target.mkdir(parents=True, exist_ok=True)
    made = table((source / "values.yaml").read_text(), schema)
    (target / "README.md").write_text(f"{head}{BEGIN}\n{made}\n{END}{tail}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for each in CHARTS:
        write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), each)
