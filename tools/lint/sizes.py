#!/usr/bin/env python3
"""Size caps: a file has at most 400 lines, a function at most 60 between its braces.

Exceptions stand in size_exceptions.txt, each with a reason and a limit of its own.
"""

import ast
import re
import sys

import tree as trees

FILE_CAP = 400
FUNCTION_CAP = 60
SUFFIXES = (".cc", ".h", ".py", ".go", ".sh", ".cmake", "CMakeLists.txt")
# A brace opens a scope to look into, not a function, after these.
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b(?!.*\)\s*(const|noexcept|override|final|->.*)*\s*$)",
                   re.DOTALL)
NAME = re.compile(r"((?:[\w:]*::)?operator\s*(?:\(\)|[^\s(]+)|[~\w:]+)\s*\(")


def check(tree):
    exceptions, problems = _read_exceptions(tree)
    used = set()
    for subject, where, lines, cap in _measure(tree):
        allowed = exceptions.get(subject, cap)
        if lines > cap:
            used.add(subject)
        if lines > allowed:
            problems.append(f"{where}: {subject} has {lines} lines, allowed are {allowed}: split it, or give "
                            "the reason in tools/lint/size_exceptions.txt")
    problems += [f"tools/lint/size_exceptions.txt: {subject} needs no exception any more: delete the line"
                 for subject in exceptions if subject not in used]
    return problems


def _read_exceptions(tree):
    exceptions, problems = {}, []
    for line, cells in trees.read_table(tree.text("tools/lint/size_exceptions.txt"), 3):
        if len(cells) != 3 or not cells[1].isdigit() or len(cells[2]) < 10:
            problems.append(f"tools/lint/size_exceptions.txt:{line}: want `path [Function] : lines : why`, "
                            "with a reason a reader can weigh")
            continue
        exceptions[cells[0]] = int(cells[1])
    return exceptions, problems


def _measure(tree):
    """(subject, where, lines, cap) of every file and function."""
    for path in tree.files(*SUFFIXES):
        text = tree.text(path)
        yield path, path, text.count("\n"), FILE_CAP
        if path.endswith((".cc", ".h")):
            functions = cpp_functions(text)
        elif path.endswith(".py"):
            functions = python_functions(text)
        else:
            functions = []
        for name, line, lines in functions:
            yield f"{path} {name}", f"{path}:{line}", lines, FUNCTION_CAP


def python_functions(text):
    return [(node.name, node.lineno, node.end_lineno - node.lineno) for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def cpp_functions(text):
    """(name, line, lines between the braces) of each outermost function body.

    Counts braces in the text without comments and literals. What stands before a brace, back to
    the last `;`, `{` or `}`, says what it opens: a scope (namespace, class), a function (there is
    a parameter list), or a value (an initializer).
    """
    code = re.sub(r"^[ \t]*#.*?(?<!\\)$", lambda m: " " * len(m[0]), trees.code_only(text), flags=re.MULTILINE)
    found, head, scopes = [], 0, 0  # scopes: open braces that are looked into
    position = 0
    while position < len(code):
        character = code[position]
        if character == "{":
            before = code[head:position]
            if SCOPE.search(before) and not _is_value(before):
                scopes += 1
            else:
                end = _closing(code, position)
                if NAME.search(before) and not _is_value(before) or _is_lambda(before):
                    found.append(_function(text, code, head, position, end))
                position = end
                # `= {...};` and member initializers `: a_{1}, b_{2} {` go on with the same head.
                if _goes_on(code, end):
                    position += 1
                    continue
            head = position + 1
        elif character in ";}":
            if character == "}":
                scopes -= 1
            head = position + 1
        position += 1
    return found


def _function(text, code, head, opening, closing):
    before = code[head:opening]
    # gtest's TEST_F(Suite, Name) is called by its case, anything else by what stands before `(`.
    macro = re.search(r"\b(TEST|TEST_F|TEST_P|TYPED_TEST)\s*\(\s*(\w+)\s*,\s*(\w+)", before)
    name = f"{macro[2]}.{macro[3]}" if macro else (NAME.search(before) or re.search(r"(\w+)", before))[1]
    return name, text.count("\n", 0, opening) + 1, max(0, text.count("\n", opening, closing) - 1)


def _is_value(before):
    """After `=` (not in a parameter list) comes an initializer."""
    depth = 0
    for index, character in enumerate(before):
        depth += (character in "(<[") - (character in ")>]" and before[index - 1] != "-")
        if character == "=" and depth <= 0 and "operator" not in before[:index]:
            return True
    return False


def _is_lambda(before):
    return re.search(r"\]\s*(\([^{}]*\))?\s*(mutable|noexcept|->[^{}]*)*\s*$", before) is not None and "=" in before


def _goes_on(code, end):
    """True after a braced value that is part of a longer head: `: a_{1}, b_{2} { body }`."""
    return re.match(r"\s*[,{]", code[end + 1:end + 200]) is not None


def _closing(code, opening):
    depth = 0
    for position in range(opening, len(code)):
        depth += (code[position] == "{") - (code[position] == "}")
        if depth == 0:
            return position
    return len(code) - 1


if __name__ == "__main__":
    import report
    sys.exit(report.finish("sizes", check(trees.Tree())))
