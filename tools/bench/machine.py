"""What a figure was measured on: without it a figure says nothing."""

import datetime
import os
import pathlib
import platform
import re
import subprocess


def describe(root):
    return {
        "cpu": _first(r"model name\s*:\s*(.+)", "/proc/cpuinfo"),
        "cores": os.cpu_count(),
        "memory_bytes": int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0) * 1024,
        "kernel": platform.release(),
        "system": _first(r'PRETTY_NAME="(.+)"', "/etc/os-release"),
        "compiler": _output(["g++", "--version"]).split("\n")[0],
        "commit": _output(["git", "-C", str(root), "describe", "--always", "--dirty"]),
        "load_before": os.getloadavg()[0],
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _first(pattern, path):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found[1] if found else None


def _output(command):
    try:
        return subprocess.run(command, text=True, capture_output=True).stdout.strip()
    except FileNotFoundError:
        return ""
