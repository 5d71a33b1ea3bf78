#!/usr/bin/env python3
"""The bench `build`: seconds of what a developer waits for.

  release_no_cache   every target of the release preset (programs, tests, benchmarks), no cache
  programs_no_cache  what `make build` makes, no cache
  release_warm       the first again in a new build folder, with the compiler cache filled
  no_change          `make build` when nothing changed
  test_warm, demo_warm   `make test`, `make demo` where everything is built
  test_cold, demo_cold   the same in a fresh clone with every cache empty (packages are there)

--quick leaves out the cold ones. Each is run once or three times, as `n` says.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOAL_SECONDS = 600  # a clean release build of everything on two cores


class Bench:
    def __init__(self, jobs, folder):
        self.jobs, self.folder, self.rows = jobs, pathlib.Path(folder), []

    def build(self, case, targets=(), runs=1, environment=None, goal=None):
        """Configures and builds into a new folder; the folder goes afterwards."""
        def once(number):
            build = self.folder / f"{case}-{number}"
            self._run(["cmake", "--preset", "release", "-Wno-dev", "-B", build, "-DTRACEKEEPER_BENCHES=ON"], environment)
            self._run(["cmake", "--build", build, f"-j{self.jobs}", *targets], environment)
            return build
        self._measure(case, once, runs, goal)

    def command(self, case, command, runs=1, environment=None, root=ROOT, goal=None):
        self._measure(case, lambda _: self._run(command, environment, root), runs, goal)

    def _measure(self, case, once, runs, goal):
        wall, cpu = [], []
        for number in range(runs):
            started, used = time.monotonic(), cpu_seconds()
            made = once(number)
            wall.append(time.monotonic() - started)
            cpu.append(cpu_seconds() - used)
            print(f"build/{case}: {wall[-1]:.1f} s, {cpu[-1]:.1f} s of CPU", flush=True)
            if made:
                shutil.rmtree(made)
        # The CPU time tells how much of the wall time was ours on a machine that others use too.
        for metric, seconds in (("wall", wall), ("cpu", cpu)):
            row = {"bench": "build", "case": case, "metric": metric, "value": statistics.median(seconds), "unit": "s",
                   "n": runs, "min": min(seconds), "max": max(seconds)}
            if goal and metric == "wall":
                row |= {"goal": f"<= {goal}", "met": row["value"] <= goal}
            self.rows.append(row)

    def _run(self, command, environment=None, root=ROOT):
        log = self.folder / "last.log"
        with open(log, "w", encoding="utf-8") as output:
            done = subprocess.run([str(c) for c in command], cwd=root, env={**os.environ, **(environment or {})},
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            print("\n".join(log.read_text(errors="replace").splitlines()[-30:]))
            raise SystemExit(f"build bench: {' '.join(str(c) for c in command)}: exit code {done.returncode}")


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", metavar="CASE[,CASE]")
    options = parser.parse_args()
    cases = [c for c in options.only.split(",") if c]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the temporary folder goes in any case
    with tempfile.TemporaryDirectory(prefix="tracekeeper-build-") as folder:
        bench = Bench(options.jobs, folder)
        try:
            measure(bench, lambda case: case in cases if cases else not (options.quick and case.endswith("_cold")))
        finally:
            output = os.environ.get("TRACEKEEPER_BENCH_OUTPUT")
            if output:
                pathlib.Path(output).write_text(json.dumps(bench.rows))
    return 0


def measure(bench, wanted):
    if wanted("release_no_cache"):
        bench.build("release_no_cache", environment={"CCACHE_DISABLE": "1"}, goal=GOAL_SECONDS)
    if wanted("programs_no_cache"):
        bench.build("programs_no_cache", ["--target", "programs"], environment={"CCACHE_DISABLE": "1"})
    if wanted("release_warm"):
        cache = {"CCACHE_DIR": str(bench.folder / "ccache")}
        Bench(bench.jobs, bench.folder).build("fill_cache", environment=cache)
        bench.build("release_warm", runs=3, environment=cache)
    for case, target, runs in (("no_change", "build", 3), ("test_warm", "test", 1), ("demo_warm", "demo", 3)):
        if wanted(case):
            bench.command(f"{case}", ["make", target]) if runs == 1 else bench.command(case, ["make", target], runs)
    for case, target in (("test_cold", "test"), ("demo_cold", "demo")):
        if wanted(case):
            measure_cold(bench, case, target)


def measure_cold(bench, case, target):
    """A fresh clone of the committed state, and empty caches of compiler, servers and Go builds."""
    clone = bench.folder / case
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    caches = {"CCACHE_DIR": f"{clone}.ccache", "TRACEKEEPER_CACHE": f"{clone}.cache", "GOCACHE": f"{clone}.go"}
    bench.command(case, ["make", target], environment=caches, root=clone)
    for folder in (clone, *caches.values()):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
