"""How a lint ends: its problems, one a line, and an exit code that CTest and make understand."""

import sys

SKIPPED = 77  # CTest's SKIP_RETURN_CODE in tests/lint/CMakeLists.txt


def finish(name, problems):
    for problem in problems:
        print(problem)
    if problems:
        print(f"lint {name}: {len(problems)} problem{'s' if len(problems) > 1 else ''}", file=sys.stderr)
        return 1
    print(f"lint {name}: ok")
    return 0


def skip(name, reason):
    print(f"lint {name}: left out: {reason}")
    return SKIPPED
