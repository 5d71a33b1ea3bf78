"""A cgroup for each node of each bed, so that kubelets do not share /kubepods, and its removal."""

import os
import pathlib
import time

ROOT = pathlib.Path("/sys/fs/cgroup")


def _is_unified() -> bool:
    return (ROOT / "cgroup.controllers").exists()


def _hierarchies() -> list[pathlib.Path]:
    """The one tree of cgroup v2, or every tree of v1."""
    if _is_unified():
        return [ROOT]
    return [path for path in ROOT.iterdir() if path.is_dir() and not path.is_symlink()]


def unusable() -> str:
    """Why cgroups cannot be made here, or an empty string."""
    if not ROOT.is_dir():
        return "this machine has no /sys/fs/cgroup"
    refused = [str(path) for path in _hierarchies() if not os.access(path, os.W_OK)]
    if refused:
        return f"cgroups cannot be made in {refused[0]}: in a container, start it with --privileged"
    return ""


def make(bed: str, node: str) -> None:
    for hierarchy in _hierarchies():
        for folder in (hierarchy / bed, hierarchy / bed / node):
            folder.mkdir(exist_ok=True)
            if _is_unified():
                _pass_controllers_down(folder.parent)
            else:
                _fill_cpuset(folder)


def _pass_controllers_down(parent: pathlib.Path) -> None:
    enabled = (parent / "cgroup.subtree_control").read_text().split()
    for controller in (parent / "cgroup.controllers").read_text().split():
        if controller not in enabled:
            (parent / "cgroup.subtree_control").write_text(f"+{controller}")


def _fill_cpuset(folder: pathlib.Path) -> None:
    """A new cpuset of cgroup v1 is empty and takes no process until it has its parent's sets."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists():
            (folder / name).write_text((folder.parent / name).read_text())


def remove(bed: str, seconds: float = 10) -> None:
    """Removes what is left of a bed whose processes have been killed: the kernel may need a moment."""
    deadline = time.monotonic() + seconds
    while True:
        busy = [hierarchy / bed for hierarchy in _hierarchies() if not _removed(hierarchy / bed)]
        if not busy or time.monotonic() > deadline:
            return
        time.sleep(0.05)


def _removed(top: pathlib.Path) -> bool:
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return False
    return True
