#!/usr/bin/env python3
"""The release programs are hardened: position-independent, RELRO, bound at start, no executable stack.

Read with readelf from the programs themselves: a flag that was lost on the way shows here.
"""

import pathlib
import re
import subprocess
import sys

import report
import tree as trees


def check(programs):
    return [f"{program}: {problem}" for program in programs for problem in _problems(program)]


def _problems(program):
    elf = subprocess.run(["readelf", "--wide", "--file-header", "--program-headers", "--dynamic", "--dyn-syms",
                          str(program)], text=True, capture_output=True, check=True).stdout
    if not re.search(r"Type:\s+DYN", elf) or "PIE" not in elf:
        yield "not position-independent (want -fPIE -pie)"
    if "GNU_RELRO" not in elf:
        yield "no RELRO segment (want -Wl,-z,relro)"
    if not re.search(r"FLAGS.*\bBIND_NOW\b|FLAGS_1.*\bNOW\b", elf):
        yield "not bound at start (want -Wl,-z,now): RELRO does not cover the PLT"
    if re.search(r"GNU_STACK.*\bRWE\b", elf):
        yield "executable stack (want -Wl,-z,noexecstack)"
    if "__stack_chk_fail" not in elf:
        yield "no stack protector (want -fstack-protector-strong)"
    if not re.search(r"\b__\w+_chk\b", elf.replace("__stack_chk_fail", "")):
        yield "no fortified call (want -O2 -D_FORTIFY_SOURCE=3)"


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else trees.ROOT / "build/release/bin"
    found = sorted(p for p in folder.glob("*") if p.is_file()) if folder.is_dir() else []
    if not found:
        sys.exit(report.skip("binaries", f"no programs in {folder}; `make build` makes and checks them"))
    sys.exit(report.finish("binaries", check(found)))
