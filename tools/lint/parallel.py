"""Runs one tool on many files, a process a core, and shows how far it is on a terminal."""

import concurrent.futures
import os
import subprocess
import sys


def run_each(items, command_of, show):
    """Yields (item, exit code, output) of command_of(item) for every item, as each one ends."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(_run, command_of(item)): item for item in items}
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            if sys.stderr.isatty():
                print(f"\r{show} {number}/{len(items)}\033[K", end="", file=sys.stderr)
            yield futures[future], *future.result()
    if items and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def version(tool):
    return subprocess.run([tool, "--version"], text=True, capture_output=True, check=True).stdout


def _run(command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout
