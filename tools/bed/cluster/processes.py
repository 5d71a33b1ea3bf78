"""Servers as child processes that cannot outlive this one."""

import ctypes
import dataclasses
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable

from . import layout as bed

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_TAIL_LINES = 25


def die_with_parent() -> None:
    """Runs in a new child: the kernel will kill it when its parent ends, however that happens."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def run(*command: object, **options) -> str:
    """Runs a tool to its end and gives its output; its errors become a BedError."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise bed.BedError(f"{' '.join(words)} (exit code {done.returncode}): {done.stderr.strip()}")
    return done.stdout


@dataclasses.dataclass
class Server:
    name: str
    command: list[str]
    log: pathlib.Path
    process: int = 0  # 0: not running
    expected_to_run: bool = False


class Supervisor:
    """Starts, kills and buries servers. One thread only: the kernel ties a child's life to the
    thread that started it. As the first process of a namespace it also buries orphans."""

    def __init__(self, log_folder: pathlib.Path, prefix: str = "", wanted: Callable[[], bool] = lambda: True):
        self._log_folder = log_folder
        self._prefix = prefix  # of log names: several nodes share one folder
        self._wanted = wanted  # False: nobody waits for this bed any more
        self._servers: dict[str, Server] = {}

    def start(self, name: str, *command: object) -> Server:
        self._log_folder.mkdir(parents=True, exist_ok=True)
        server = Server(name, [str(word) for word in command], self._log_folder / f"{self._prefix}{name}")
        self._servers[name] = server
        self.start_again(name)
        return server

    def start_again(self, name: str) -> None:
        server = self.server(name)
        if server.process:
            raise bed.BedError(f"{name} is running already")
        with open(server.log, "ab") as log:
            popen = subprocess.Popen(server.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     preexec_fn=die_with_parent)
        server.process, server.expected_to_run = popen.pid, True
        popen.returncode = 0  # reap() waits for it, not Popen

    def server(self, name: str) -> Server:
        if name not in self._servers:
            raise bed.BedError(f"this bed has no part '{name}'; it has: {' '.join(self._servers)}")
        return self._servers[name]

    def servers(self) -> list[Server]:
        return list(self._servers.values())

    def signal(self, name: str, number: int) -> None:
        server = self.server(name)
        if not server.process:
            raise bed.BedError(f"{name} is not running")
        os.kill(server.process, number)

    def kill(self, name: str) -> None:
        server = self.server(name)
        server.expected_to_run = False
        self.signal(name, signal.SIGKILL)
        while server.process:
            self.reap()
            time.sleep(0.005)

    def kill_all(self) -> None:
        for server in self.servers():
            if server.process:
                self.kill(server.name)

    def reap(self) -> None:
        """Buries every child that has ended."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not process:
                return
            for server in self.servers():
                if server.process == process:
                    server.process = 0
                    self._note_end(server, os.waitstatus_to_exitcode(status))

    def _note_end(self, server: Server, code: int) -> None:
        if server.expected_to_run:
            with open(server.log, "a", encoding="utf-8") as log:
                log.write(f"bed: {server.name} ended by itself, exit code {code}\n")

    def wait_until(self, what: str, seconds: float, condition: Callable[[], bool], *needed: str) -> None:
        """Waits for `condition`. Fails at once, with its log's tail, when a needed server ends."""
        deadline = time.monotonic() + seconds
        while not condition():
            if not self._wanted():
                raise bed.BedError(f"no longer wanted, while waiting for: {what}")
            self.reap()
            for name in needed:
                if not self.server(name).process:
                    raise bed.BedError(f"{name} ended while waiting for: {what}\n{tail(self.server(name).log)}")
            if time.monotonic() > deadline:
                tails = "\n".join(tail(self.server(name).log) for name in needed)
                raise bed.BedError(f"not so after {seconds:.0f} s: {what}\n{tails}")
            time.sleep(0.05)


def tail(log: pathlib.Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        lines = ["(no log)"]
    return "\n".join([f"--- last lines of {log}", *lines])


def children_of(process: int) -> list[int]:
    """Ids of the processes whose parent is `process`."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text()
        except OSError:
            continue  # it ended meanwhile
        # The name, in parentheses, may hold anything; the parent is the second field after it.
        if int(stat.rpartition(")")[2].split()[1]) == process:
            found.append(int(entry))
    return found


def only_child_of(process: int, seconds: float = 10) -> int:
    """The child of an `unshare --fork`: the first process of the new namespaces."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        children = children_of(process)
        if children:
            return children[0]
        time.sleep(0.01)
    raise bed.BedError("the namespaces did not come up: unshare started no process")
