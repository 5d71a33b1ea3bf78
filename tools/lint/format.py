#!/usr/bin/env python3
"""clang-format 19 over every C++ file; --write formats them (make fmt)."""

import subprocess
import sys

import tree as trees

TOOL = "clang-format-19"


def check(tree, *options):
    files = tree.cpp()
    if not files:
        return []
    done = subprocess.run([TOOL, "--dry-run", "-Werror", *options, *files], cwd=tree.root, text=True,
                          capture_output=True)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "clang-format-violations" in line})
    if done.returncode != 0 and not wrong:
        return [f"{TOOL}: {done.stderr.strip()}"]
    return [f"{path}: not formatted: run `make fmt`" for path in wrong]


def write(tree):
    files = tree.cpp()
    return subprocess.run([TOOL, "-i", *files], cwd=tree.root).returncode if files else 0


if __name__ == "__main__":
    import report
    if sys.argv[1:] == ["--write"]:
        sys.exit(write(trees.Tree()))
    sys.exit(report.finish("format", check(trees.Tree())))
