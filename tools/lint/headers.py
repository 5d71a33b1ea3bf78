#!/usr/bin/env python3
"""Every header compiles alone: it includes what it uses. What passed is remembered by content.

A header that its own source includes first is compiled alone by every build.
"""

import sys

import parallel
import passes as known_passes
import tree as trees

COMPILER = "g++"
# The settings that every target has (cmake/dependencies.cmake), and the warnings that are about
# what a header says, not about how it is used.
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
         "-DBOOST_ASIO_DISABLE_CO_AWAIT", "-D_TURN_OFF_PLATFORM_STRING"]


def check(tree, passes=None):
    passes = passes or known_passes.Passes("headers")
    compiler = parallel.version(COMPILER)
    headers = [p for p in tree.cpp() if p.endswith(".h") and not comes_first_in_its_source(tree, p)]
    keys = {h: known_passes.key(tree, tree.closure(h), compiler, FLAGS) for h in headers}
    waiting = [h for h in headers if not passes.known(keys[h])]
    problems = []
    # -include instead of naming the header as the source: `#pragma once in main file` is no finding.
    for header, code, output in parallel.run_each(
            waiting, lambda h: [COMPILER, *FLAGS, f"-I{tree.root}", "-include", str(tree.root / h), "-x", "c++",
                                "/dev/null"], "header"):
        if code == 0:
            passes.remember(keys[header])
        else:
            problems.append(f"{header}: does not compile alone:\n{_first_errors(output)}")
    return sorted(problems)


def comes_first_in_its_source(tree, header):
    """Not in tests: there a precompiled header may come before it, and benchmarks are built apart."""
    source = header.removesuffix(".h") + ".cc"
    if header.startswith("tests/") or not (tree.root / source).is_file():
        return False
    return next((name for _, name, _ in tree.includes(source)), None) == header


def _first_errors(output):
    lines = [line for line in output.splitlines() if "error" in line]
    return "\n".join("    " + line for line in (lines or output.splitlines())[:5])


if __name__ == "__main__":
    import report
    sys.exit(report.finish("headers", check(trees.Tree())))
