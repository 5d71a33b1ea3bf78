#!/usr/bin/env python3
"""Words and headers that a folder may not name: forbidden.txt, with the reason in each row.

A comment `// Allowed here: why` on the line before lets one line name one.
"""

import re
import sys

import tree as trees


def check(tree):
    problems = []
    for line, cells in trees.read_table(tree.text("tools/lint/forbidden.txt"), 4):
        if len(cells) != 4 or cells[1] not in ("code", "text"):
            problems.append(f"tools/lint/forbidden.txt:{line}: want `folders : code|text : words : why`")
            continue
        folders, where, words, why = cells
        pattern = re.compile("|".join(_pattern(word) for word in words.split()))
        for path in tree.cpp():
            if trees.folder_of(path, folders.split()):
                problems += [f"{path}:{number}: {word}: {why}" for number, word in _found(tree, path, where, pattern)]
    return problems


def _found(tree, path, where, pattern):
    """(line, word) of each place in the file that names what it should not and does not say why."""
    lines = tree.text(path).splitlines()
    text = tree.text(path) if where == "text" else trees.without_comments(tree.text(path))
    for number, line in enumerate(text.splitlines()):
        if not (number > 0 and "// Allowed here: " in lines[number - 1]):
            yield from ((number + 1, match[0]) for match in pattern.finditer(line))


def _pattern(word):
    if word.startswith("<"):
        return re.escape(word)
    if word.endswith("("):  # fmt's functions of the same names are safe
        return rf"(?<!\w)(?<!fmt::){re.escape(word[:-1])}\s*\("
    return rf"(?<!\w){re.escape(word)}(?!\w)"


if __name__ == "__main__":
    import report
    sys.exit(report.finish("forbidden", check(trees.Tree())))
