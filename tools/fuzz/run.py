#!/usr/bin/env python3
"""Runs libFuzzer targets, as many at once as there are cores, each for some seconds (`make fuzz`).

  run.py --build build/asan [--seconds 60] [--seed N] [--jobs N] [TARGET...]     TARGET: json or json_fuzz; default: all

New inputs that reach new code go to build/asan/corpus/<target>; what is worth keeping moves by hand
to tests/fuzz/corpus/<target>. A crash is kept in build/asan/findings and ends with exit code 1.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="the same search each time; 0: another each time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args()
    programs = {p.name.removesuffix("_fuzz"): p for p in sorted((options.build / "fuzz").glob("*_fuzz"))}
    wanted = [t.removesuffix("_fuzz") for t in options.targets] or list(programs)
    unknown = [t for t in wanted if t not in programs]
    if unknown or not wanted:
        sys.exit(f"no fuzz target {', '.join(unknown)}; there are: {', '.join(programs) or 'none'}")
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        results = list(pool.map(lambda target: fuzz(options, programs[target], target), wanted))
    return 0 if all(results) else 1


def fuzz(options, program, target):
    build = options.build
    found, findings = build / "corpus" / target, build / "findings"
    found.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    command = [program, f"-max_total_time={options.seconds}", f"-seed={options.seed}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
               f"-artifact_prefix={findings}/{target}-", found, ROOT / "tests/fuzz/corpus" / target]
    log = build / f"{target}.log"
    with open(log, "w", encoding="utf-8") as output:
        code = subprocess.run([str(c) for c in command], stdout=output, stderr=subprocess.STDOUT).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    if code != 0:
        print("\n".join(text.splitlines()[-40:]))
        print(f"{target}: FAILED; input and report: {findings}, {log}\n  again: {program} {findings}/{target}-...")
        return False
    statistics = dict(re.findall(r"stat::(\w+):\s+(\d+)", text))
    coverage = re.findall(r"cov: (\d+)", text)
    print(f"{target}: ok, {statistics.get('number_of_executed_units', '?')} inputs, "
          f"{statistics.get('average_exec_per_sec', '?')} a second, {coverage[-1] if coverage else '?'} edges, "
          f"{statistics.get('new_units_added', '?')} new in the corpus", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
