#!/usr/bin/env python3
"""Words and headers that a folder may not name: forbidden.txt, with the reason in each row."""

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
                text = tree.text(path)
                text = text if where == "text" else trees.without_comments(text)
                problems += [f"{path}:{text.count(chr(10), 0, m.start()) + 1}: {m[0]}: {why}"
                             for m in pattern.finditer(text)]
    return problems


def _pattern(word):
    if word.startswith("<"):
        return re.escape(word)
    if word.endswith("("):  # fmt's functions of the same names are safe
        return rf"(?<!\w)(?<!fmt::){re.escape(word[:-1])}\s*\("
    return rf"(?<!\w){re.escape(word)}(?!\w)"


if __name__ == "__main__":
    import report
    sys.exit(report.finish("forbidden", check(trees.Tree())))
