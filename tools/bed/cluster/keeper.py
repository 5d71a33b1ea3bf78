"""The process that a bed belongs to. It starts the bed, says "ready" on standard output, and ends
and removes all of it when its lifeline breaks, on SIGTERM, or when the bed itself fails. If even
the keeper is killed, the kernel kills the servers, and the next bed sweeps up the folder."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from . import cgroups, pki, relay
from . import layout as bed
from .control import ControlServer
from .machine import UNSHARE, Events, Machine, bed_command
from .processes import Supervisor, only_child_of

FOLDER_PREFIX = "tracekeeper-bed-"
# Unix socket addresses hold 107 bytes; the longest of ours is FOLDER/node1/containerd.sock.ttrpc.
LONGEST_FOLDER = 107 - len("/node1/containerd.sock.ttrpc")
NODE_PROGRAMS = ["unshare", "mount", "ip", "hostname", "containerd", "ctr", "runc", "nft", "conntrack"]


def why_no_nodes() -> str:
    """Why this user on this machine cannot have real nodes, or an empty string."""
    if os.geteuid() != 0:
        return "a real node needs root: run this as root to include it"
    trial = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        return f"this machine gives root no namespaces of its own ({trial.stderr.strip()}): " \
               "in a container, start it with --privileged"
    return cgroups.unusable()


class Keeper:
    def __init__(self, layout: bed.Layout, reserved: list[socket.socket]):
        self._layout = layout
        self._reserved = reserved  # bound, so that a killed server finds its port free again
        self._undo = contextlib.ExitStack()

    def run(self, lifeline: int | None) -> None:
        events = Events()
        if lifeline is not None:
            events.on_readable(lifeline, lambda: bool(os.read(lifeline, 4096)))
        with self._undo:
            self._undo.callback(remove_folder, self._layout.folder)
            pki.make(self._layout)
            self._layout.log.mkdir()
            self._layout.save()
            start = self._start_with_nodes if self._layout.nodes else self._start_here
            supervisor = start(events)
            print("ready", flush=True)
            events.run(supervisor)

    def _start_here(self, events: Events) -> Supervisor:
        machine = Machine(self._layout, events)
        control = self._undo.enter_context(ControlServer(self._layout.control_socket, machine))
        self._undo.callback(machine.supervisor.kill_all)
        machine.start()
        events.on_readable(control.fileno(), control.serve_one)
        self._write_state(namespace_process=0)
        return machine.supervisor

    def _start_with_nodes(self, events: Events) -> Supervisor:
        layout = self._layout
        self._undo.callback(cgroups.remove, layout.cgroup)
        supervisor = Supervisor(layout.log, wanted=events.wanted)
        self._undo.callback(supervisor.kill_all)
        unshare = supervisor.start("inside", *UNSHARE, *bed_command("inside", "--dir", layout.folder))
        first_process = only_child_of(unshare.process)
        supervisor.wait_until("the bed inside its namespaces is up", 170, layout.inside_ready.exists, "inside")
        self._start_relay(first_process)
        self._write_state(namespace_process=first_process)
        return supervisor

    def _start_relay(self, first_process: int) -> None:
        [listener] = self._reserved
        listener.listen(128)
        process = relay.start(listener, first_process)
        self._undo.callback(os.kill, process, signal.SIGKILL)
        listener.close()

    def _write_state(self, namespace_process: int) -> None:
        layout = self._layout
        lines = [f"kube={layout.kube}", f"server_url={layout.server_url}", f"keeper={os.getpid()}",
                 f"namespace_process={namespace_process}", f"cgroup={layout.cgroup}"]
        lines += [f"node={node.name} {node.address}" for node in layout.all_nodes()]
        (layout.folder / "bin").mkdir()
        (layout.folder / "bin/kubectl").symlink_to(layout.kube)
        unfinished = layout.folder / "state.unfinished"
        unfinished.write_text("\n".join(lines) + "\n")
        unfinished.rename(layout.state)


# --- Before and after -----------------------------------------------------------------------------


def keep(options, lifeline: int | None) -> None:
    """Runs a bed in `options.dir` until it is told to end. Raises BedError if it cannot start."""
    # The servers' own: with a stricter one containers could not read their root. The folder is 0700.
    os.umask(0o022)
    folder = pathlib.Path(options.dir).resolve()
    check_folder(folder)
    if options.nodes:
        check_nodes(options.nodes)
    with lock_folder(folder):
        sweep(folder.parent)
        reserved = reserve_ports(options.nodes)
        layout = make_layout(options, folder, reserved)
        Keeper(layout, reserved).run(lifeline)


def check_folder(folder: pathlib.Path) -> None:
    if len(str(folder)) > LONGEST_FOLDER:
        raise bed.BedError(f"{folder} is too long a name for the sockets in it: "
                           f"at most {LONGEST_FOLDER} characters; set TMPDIR to a shorter one")
    if folder.is_relative_to("/run"):
        raise bed.BedError(f"{folder} cannot be used: nodes have a /run of their own; set TMPDIR to another place")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise bed.BedError(f"{folder} is not empty; if a bed runs there, end it with: tools/bed/bed down --dir {folder}")


def check_nodes(number: int) -> None:
    if number > bed.MOST_NODES:
        raise bed.BedError(f"at most {bed.MOST_NODES} nodes, not {number}")
    reason = why_no_nodes()
    if reason:
        raise bed.BedError(reason)
    for program in NODE_PROGRAMS:
        if not shutil.which(program):
            raise bed.BedError(f"a real node needs {program}: run `make setup` (or tools/setup.sh node-packages)")
    if not pathlib.Path("/usr/lib/cni/bridge").exists():
        raise bed.BedError("a real node needs the CNI plugins: run `make setup` (or tools/setup.sh node-packages)")


@contextlib.contextmanager
def lock_folder(folder: pathlib.Path):
    """Held as long as the keeper lives: what tells a running bed from a left one."""
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def reserve_ports(nodes: int) -> list[socket.socket]:
    """Free ports of 127.0.0.1, kept by binding them: nobody else gets one while its server is down.
    With nodes only the API server's is needed out here."""
    return [_bound_socket(shared=not nodes) for _ in range(1 if nodes else 5)]


def _bound_socket(shared: bool) -> socket.socket:
    bound = socket.socket()
    if shared:  # with the server that will listen there, which asks for the same
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", 0))
    return bound


def make_layout(options, folder: pathlib.Path, reserved: list[socket.socket]) -> bed.Layout:
    numbers = [bound.getsockname()[1] for bound in reserved]
    ports = bed.Ports(*numbers) if not options.nodes else bed.Ports(numbers[0], 2379, 2380, 10257, 10259)
    images = [pathlib.Path(image).resolve() for image in options.image]
    for image in images:
        if not image.is_file():
            raise bed.BedError(f"no image archive {image}; tools/images/make_image.py makes one")
    if options.nodes:
        built = bed.built("images")
        images = [built / "pause.tar", built / "testtool.tar", *images]
    return bed.Layout(folder=folder, kube=bed.built("kube"), ports=ports, nodes=options.nodes,
                      controllers=options.controllers or options.nodes > 0, images=tuple(images),
                      api_server_flags=tuple(options.api_server_flag))


def remove_folder(folder: pathlib.Path) -> None:
    keep_logs = os.environ.get("TRACEKEEPER_KEEP_LOGS")
    if keep_logs and (folder / "log").is_dir():
        shutil.copytree(folder / "log", pathlib.Path(keep_logs) / folder.name, dirs_exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: pathlib.Path) -> None:
    """Removes what beds left whose keeper was killed. Their servers are gone already."""
    for folder in parent.glob(FOLDER_PREFIX + "*"):
        try:
            lock = open(folder / "lock")
        except OSError:
            continue  # not started yet, or not ours
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # it runs
            if os.geteuid() == 0:
                cgroups.remove(bed.cgroup_of(folder))
            shutil.rmtree(folder, ignore_errors=True)


def default_folder() -> pathlib.Path:
    """The one bed of `bed up`."""
    return pathlib.Path(tempfile.gettempdir(), f"{FOLDER_PREFIX}{os.getuid()}")
