#!/usr/bin/env python3
"""Generated files (CRDs, reference documents) are what the generator writes now: no drift.

The generator writes into an empty folder (tools/gen.sh FOLDER); every file there must be in the
source tree, byte for byte. `make gen` mends a difference.
"""

import pathlib
import subprocess
import sys
import tempfile

import report
import tree as trees


def check(root, made):
    """Compares each file below `made` with the one of the same path below `root`."""
    paths = sorted(p.relative_to(made) for p in made.rglob("*") if p.is_file())
    if not paths:
        return ["tools/gen.sh wrote nothing: a drift check over nothing proves nothing"]
    return [problem for problem in (_compare(root, made, path) for path in paths) if problem]


def _compare(root, made, path):
    if not (root / path).is_file():
        return f"{path}: generated, but not checked in: run `make gen` and add it"
    wanted, found = (made / path).read_bytes(), (root / path).read_bytes()
    if wanted == found:
        return None
    pairs = zip(wanted.splitlines(), found.splitlines())
    line = next((number for number, (a, b) in enumerate(pairs, 1) if a != b),
                min(wanted.count(b"\n"), found.count(b"\n")) + 1)
    return f"{path}:{line}: differs from what the generator writes: run `make gen`, edit the types and not this file"


if __name__ == "__main__":
    if not (trees.ROOT / "tools/gen.sh").exists():
        sys.exit(report.skip("generated", "there is no tools/gen.sh"))
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([trees.ROOT / "tools/gen.sh", folder], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(report.finish("generated", [f"tools/gen.sh failed:\n{done.stdout}"]))
        sys.exit(report.finish("generated", check(trees.ROOT, pathlib.Path(folder))))
