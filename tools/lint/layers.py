#!/usr/bin/env python3
"""Who includes whom: every #include "..." must be allowed by layers.txt, and nothing goes in a circle.

CMake links each folder against the same table (cmake/layers.cmake), so what compiles and what is
allowed cannot differ. Tests and tools may include any folder.
"""

import sys

import tree as trees

FREE = ("tests", "tools")


def check(tree):
    table, problems = _read(tree)
    problems += [f"tools/lint/layers.txt: circle: {' -> '.join(c)}" for c in _circles(table)]
    for path in tree.cpp():
        problems += _check_file(tree, table, path)
    headers = {p: _headers_of(tree, p) for p in tree.cpp() if p.endswith(".h")}
    problems += [f"{c[0]}: headers include each other: {' -> '.join(c)}" for c in _circles(headers)]
    return problems


def _read(tree):
    table, problems = {}, []
    for line, (folder, allowed) in trees.read_table(tree.text("tools/lint/layers.txt")):
        if folder in table:
            problems.append(f"tools/lint/layers.txt:{line}: {folder} has two lines: merge them")
        table[folder] = allowed.split()
    return table, problems


def _check_file(tree, table, path):
    if path.split("/")[0] in FREE:
        return []
    folder = trees.folder_of(path, table)
    if folder is None:
        return [f"{path}: its folder is not in tools/lint/layers.txt: add a line that says what it may include"]
    problems = []
    for line, name, quoted in tree.includes(path):
        if not quoted:
            continue
        target = trees.folder_of(name, table)
        if target is None:
            problems.append(f'{path}:{line}: "{name}" is no path from the root into a folder of the table')
        elif target != folder and target not in table[folder]:
            problems.append(f'{path}:{line}: {folder} may not include {target} ("{name}"): move the code, '
                            "or allow it in tools/lint/layers.txt with a reason in the commit")
    return problems


def _headers_of(tree, path):
    """The headers that `path` needs. x_inl.h holds the templates of x.h and is a part of it."""
    whole = path.removesuffix("_inl.h") + ".h"
    return [name for _, name, quoted in tree.includes(path) if quoted and name != whole]


def _circles(graph):
    """One circle per strongly connected pair found by depth-first search."""
    circles, done = [], set()

    def visit(node, path):
        if node in path:
            circles.append(path[path.index(node):] + [node])
        elif node not in done:
            for following in graph.get(node, []):
                visit(following, path + [node])
            done.add(node)

    for node in graph:
        visit(node, [])
    return circles


if __name__ == "__main__":
    import report
    sys.exit(report.finish("layers", check(trees.Tree())))
