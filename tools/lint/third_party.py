#!/usr/bin/env python3
"""Third-party headers: each only in the folders that own it, heavy ones in .cc files only."""

import re
import sys

import tree as trees

STANDARD = re.compile(r"[a-z_0-9]+")
PLATFORM = re.compile(r"[a-z_0-9]+\.h|(sys|netinet|arpa|net|linux|sanitizer)/[a-z_0-9/]+\.h|cxxabi\.h")


def check(tree):
    table = [(prefix, weight, folders.split())
             for _, (prefix, weight, folders) in trees.read_table(tree.text("tools/lint/third_party.txt"), 3)]
    return [problem for path in tree.cpp() for problem in _check_file(tree, table, path)]


def _check_file(tree, table, path):
    problems = []
    for line, name, quoted in tree.includes(path):
        if quoted:
            continue
        row = next((r for r in table if name == r[0] or (r[0].endswith("/") and name.startswith(r[0]))), None)
        if row is None:
            if not STANDARD.fullmatch(name) and not PLATFORM.fullmatch(name):
                problems.append(f"{path}:{line}: <{name}> has no line in tools/lint/third_party.txt: "
                                "say there which folder owns it")
            continue
        _, weight, folders = row
        if folders != ["*"] and trees.folder_of(path, folders) is None:
            problems.append(f"{path}:{line}: <{name}> belongs to {', '.join(folders)} "
                            "(tools/lint/third_party.txt): use their headers instead")
        elif weight == "heavy" and path.endswith(".h"):
            problems.append(f"{path}:{line}: <{name}> is heavy: include it in the .cc file only")
    return problems


if __name__ == "__main__":
    import report
    sys.exit(report.finish("third_party", check(trees.Tree())))
