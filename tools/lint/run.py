#!/usr/bin/env python3
"""Every lint, one after the other (`make lint`): what is wrong, where, and what to do.

  run.py [--all] [NAME...]     --all: clang-tidy on every file, not only on those changed since
                               LINT_BASE (default: 20 commits back)
"""

import argparse
import subprocess
import sys
import time

import report
import tree as trees

CHECKS = {
    "format": [],
    "layers": [],
    "third_party": [],
    "forbidden": [],
    "sizes": [],
    "headers": [],
    "generated": [],
    "binaries": [],
    "tidy": ["--all"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="clang-tidy on every file")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*CHECKS, []], help=", ".join(CHECKS))
    options = parser.parse_args()
    failed = []
    for name in options.names or CHECKS:
        arguments = CHECKS[name] if options.all else []
        started = time.monotonic()
        code = subprocess.run([sys.executable, trees.ROOT / "tools/lint" / f"{name}.py", *arguments]).returncode
        print(f"  {name}: {time.monotonic() - started:.1f} s", flush=True)
        if code not in (0, report.SKIPPED):
            failed.append(name)
    print(f"lint: {', '.join(failed)} failed" if failed else "lint: all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
