#!/usr/bin/env python3
"""clang-tidy 19 on the files changed since LINT_BASE (20 commits back; --all: every file).

A changed header is read through its own .cc file, or through the first file that includes it.
What passed is remembered by the content of the file, its headers and the configuration.

A file costs about four seconds of a core. Where more than AFFORDABLE must be read (a clone without
the history, a base far back), the tests among them are left out, and said to be; --all reads them.
"""

import json
import os
import subprocess
import sys

import parallel
import passes as known_passes
import report
import tree as trees

TOOL = "clang-tidy-19"
BUILD = "build/tidy"
AFFORDABLE = 120


def check(tree, everything, passes=None):
    commands = _commands(tree)
    units = _units(tree, commands, None if everything else tree.changed_since(trees.lint_base()))
    passes = passes or known_passes.Passes("tidy")
    version, configuration = parallel.version(TOOL), tree.text(".clang-tidy")
    keys = {u: known_passes.key(tree, tree.closure(u), version, configuration, commands[u]) for u in units}
    waiting = [u for u in units if not passes.known(keys[u])]
    if not everything:
        waiting = _affordable(waiting)
    waiting.sort(key=lambda u: -len(tree.closure(u)))  # the long ones first: even ends
    problems = []
    for unit, code, output in parallel.run_each(
            waiting, lambda u: [TOOL, "--quiet", "--warnings-as-errors=*", "-p", str(tree.root / BUILD),
                                str(tree.root / u)], "clang-tidy"):
        if code == 0:
            passes.remember(keys[unit])
        else:
            problems.append(output.strip().replace(str(tree.root) + "/", ""))
    return sorted(problems)


def _commands(tree):
    """{path: command line} of the tidy build, which is configured when it is not there."""
    database = tree.root / BUILD / "compile_commands.json"
    if not database.exists() or _is_older(tree, database):
        done = subprocess.run(["cmake", "--preset", "tidy", "-Wno-dev"], cwd=tree.root, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(done.stdout)
    root = str(tree.root) + "/"
    entries = json.loads(database.read_text())
    return {e["file"].removeprefix(root): e["command"].replace(str(tree.root), "") for e in entries
            if e["file"].startswith(root) and not e["file"].startswith(root + "build/")}


def _is_older(tree, database):
    made = database.stat().st_mtime
    lists = tree.files("CMakeLists.txt", ".cmake", "CMakePresets.json", "layers.txt")
    return any((tree.root / path).stat().st_mtime > made for path in lists)


def _units(tree, commands, changed):
    """The translation units to read: all for None, else those that show a changed file."""
    if changed is None:
        return sorted(commands)
    units = {path for path in changed if path in commands}
    for header in (path for path in changed if path.endswith(".h") and (tree.root / path).is_file()):
        own = header.removesuffix(".h") + ".cc"
        if own in commands:
            units.add(own)
        elif not any(header in tree.closure(unit) for unit in units):
            units.update([u for u in sorted(commands) if header in tree.closure(u)][:1])
    return sorted(units)


def _affordable(waiting, most=AFFORDABLE):
    """`waiting`, without the tests where it has more than `most` files."""
    if len(waiting) <= most:
        return waiting
    sources = [u for u in waiting if not u.startswith("tests/")]
    print(f"lint tidy: {len(waiting)} files to read are too many for a change: left out "
          f"{len(waiting) - len(sources)} in tests/ (`make lint ALL=1` reads them)", flush=True)
    return sources


if __name__ == "__main__":
    os.chdir(trees.ROOT)
    sys.exit(report.finish("tidy", check(trees.Tree(), "--all" in sys.argv[1:])))
