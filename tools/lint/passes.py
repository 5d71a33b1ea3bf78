"""Remembers what passed, by the hash of everything that went into it, in the user's cache folder,
so a second run checks only what changed, in any clone."""

import hashlib
import os
import pathlib
import time

KEEP_SECONDS = 30 * 24 * 3600


class Passes:
    def __init__(self, name, folder=None):
        cache = os.environ.get("TRACEKEEPER_CACHE") or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tracekeeper")
        self.folder = pathlib.Path(folder or cache) / "lint" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._forget_old()

    def known(self, key):
        mark = self.folder / key
        if not mark.exists():
            return False
        mark.touch()
        return True

    def remember(self, key):
        (self.folder / key).touch()

    def _forget_old(self):
        for mark in self.folder.iterdir():
            try:
                if time.time() - mark.stat().st_mtime > KEEP_SECONDS:
                    mark.unlink()
            except FileNotFoundError:
                pass  # another run was quicker


def key(tree, paths, *context):
    """Hash of the named files' contents and of `context` (command line, tool version)."""
    digest = hashlib.sha256()
    for part in context:
        digest.update(str(part).encode() + b"\0")
    for path in paths:
        digest.update(path.encode() + b"\0" + tree.text(path).encode() + b"\0")
    return digest.hexdigest()
