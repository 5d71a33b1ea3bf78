#!/usr/bin/env python3
"""Builds and runs the benchmarks, and merges what they measured (`make bench`).

  run.py [--bench NAME[,NAME]] [--quick] [--jobs N]

Each tests/bench/<bench>[_<part>]_bench.cc is a program built with the release flags; the bench
`build` measures the build itself (build_time.py). Rows of earlier runs stay in
build/bench/results.json until their bench runs again. A missed goal is shown, and is no error; a
benchmark that fails is one.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import machine
import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
OUTPUT = ROOT / "build/bench"
BENCHES = ("admission", "webhook", "watch_cache", "runtime", "engine", "otlp", "rotation", "sidecar", "proxy",
           "rules", "build")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="", metavar="NAME", help="one or more, with commas: " + ", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="leave out what takes more than a few minutes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    wanted = options.bench.split(",") if options.bench else list(BENCHES)
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        parser.error(f"no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}")

    programs = programs_of(wanted)
    if programs:
        compile_programs(programs, options.jobs)
    failed = [name for name, command in commands(programs, wanted, options) if not run(name, command)]
    without = [name for name in wanted if name != "build" and not any(bench_of(p) == name for p in programs)]
    results = merge(wanted)
    print(table.render([row for row in results["results"] if row["bench"] in wanted]))
    if without:
        print(f"No benchmark is written yet for: {', '.join(without)}.")
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


def bench_of(program):
    """The bench that a program belongs to: webhook_tls_bench -> webhook."""
    return max((name for name in BENCHES if program.startswith(name + "_")), key=len, default=None)


def programs_of(wanted):
    programs = sorted(path.stem for path in (ROOT / "tests/bench").glob("*_bench.cc"))
    strangers = [program for program in programs if bench_of(program) is None]
    if strangers:
        sys.exit(f"tests/bench: {', '.join(strangers)}: begin the name with one of {', '.join(BENCHES)}")
    return [program for program in programs if bench_of(program) in wanted]


def compile_programs(programs, jobs):
    configured = (BUILD / "CMakeCache.txt").exists()
    if not configured or "TRACEKEEPER_BENCHES:BOOL=ON" not in (BUILD / "CMakeCache.txt").read_text():
        subprocess.run(["cmake", "--preset", "release", "-Wno-dev", "-DTRACEKEEPER_BENCHES=ON"], cwd=ROOT, check=True)
    subprocess.run(["cmake", "--build", BUILD, f"-j{jobs}", "--target", "programs", *programs], check=True)


def commands(programs, wanted, options):
    quick = ["--quick"] if options.quick else []
    for program in programs:
        yield program, [BUILD / "bench" / program, *quick]
    if "build" in wanted:
        yield "build", [ROOT / "tools/bench/build_time.py", "--jobs", str(options.jobs), *quick]


def run(name, command):
    print(f"\n{name}", flush=True)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    rows = OUTPUT / f"{name}.rows.json"
    rows.unlink(missing_ok=True)
    started = time.monotonic()
    done = subprocess.run(command, env={**os.environ, "TRACEKEEPER_BENCH_OUTPUT": str(rows)})
    print(f"{name}: {time.monotonic() - started:.0f} s" + (f", exit code {done.returncode}" if done.returncode else ""))
    return done.returncode == 0 and rows.exists()


def merge(wanted):
    """results.json: the rows just written, and those of benches that did not run now."""
    path = OUTPUT / "results.json"
    before = json.loads(path.read_text())["results"] if path.exists() else []
    rows = [row for row in before if row["bench"] not in wanted]
    for name in wanted:
        for file in sorted(OUTPUT.glob("*.rows.json")):
            if (bench_of(file.name) or file.name.split(".")[0]) == name:
                rows += json.loads(file.read_text())
    results = {"machine": machine.describe(ROOT), "results": rows}
    OUTPUT.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(results, indent=1) + "\n")
    unfinished.rename(path)
    return results


if __name__ == "__main__":
    sys.exit(main())
