"""Runs one tool on many files, a process a core, and shows how far it is on a terminal."""

import concurrent.futures
import os
import subprocess
import sys


def run_each(items, command_of, show):
    """{item: (exit code, output)} of command_of(item) for every item."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(_run, command_of(item)): item for item in items}
        for future in concurrent.futures.as_completed(futures):
            results[futures[future]] = future.result()
            if sys.stderr.isatty():
                print(f"\r{show} {len(results)}/{len(items)}\033[K", end="", file=sys.stderr)
    if items and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return results


def version(tool):
    return subprocess.run([tool, "--version"], text=True, capture_output=True, check=True).stdout


def _run(command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout
