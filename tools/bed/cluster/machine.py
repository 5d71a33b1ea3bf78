"""What one set of processes is made of: the whole bed without nodes, node1 with the control plane,
or one further node. Each is a supervisor with an event loop; with nodes it runs as the first
process of its namespaces, so the kernel ends all of them with it."""

import os
import pathlib
import selectors
import signal
import socket
import sys
from collections.abc import Callable

from . import layout as bed
from . import node as nodes
from .api_client import ApiClient, now
from .control import ControlServer
from .control_plane import ControlPlane
from .node import Node
from .processes import Supervisor, only_child_of, run

# A kill of unshare kills the first process of its namespaces, and the kernel then all others.
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "--kill-child"]


def bed_command(*arguments: object) -> list[str]:
    return [sys.executable, str(bed.TOOLS / "bed/bed"), *[str(argument) for argument in arguments]]


class Machine:
    """The control plane and, if there are nodes, node1 and the cables to the further ones."""

    def __init__(self, layout: bed.Layout, events: "Events"):
        self.layout = layout
        self.supervisor = Supervisor(layout.log, wanted=events.wanted)
        self.etcd = ApiClient.of_etcd(layout)
        self.control_plane = ControlPlane(layout, self.supervisor)

    def start(self) -> None:
        if self.layout.nodes:
            self._start_with_nodes()
        else:
            self._start_control_plane()
        self.control_plane.wait_for_namespace()

    def _start_control_plane(self) -> None:
        self.control_plane.start_storage_and_api_server()
        self.control_plane.wait_for_api_server()
        if self.layout.controllers:
            self.control_plane.start_controllers()

    def _start_with_nodes(self) -> None:
        first = Node(self.layout, 1, self.supervisor)
        first.prepare()
        first.start_containerd()
        self.control_plane.start_storage_and_api_server()
        first.load_images()
        self.control_plane.wait_for_api_server()
        self.control_plane.start_controllers()
        first.start_agents()
        for number in range(2, self.layout.nodes + 1):
            self.start_further_node(number)
        for node in self.layout.all_nodes():
            self.wait_for_node(node.name)

    def start_further_node(self, number: int) -> None:
        """Namespaces inside node1's, a cable between the two, and a route to its pods."""
        node = self.layout.node(number)
        command = [*UNSHARE, *bed_command("further-node", "--dir", self.layout.folder, "--number", number)]
        server = self.supervisor.start(node.name, *command)
        first_process = only_child_of(server.process)
        cable, ours = f"to-{node.name}", f"10.87.{number}.1"
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", nodes.UPLINK, "netns", first_process)
        run("ip", "address", "add", f"{ours}/24", "dev", cable)
        self.plug(node.name)

    def plug(self, name: str) -> None:
        """Mends the cable to a further node: link up, and the route to its pods."""
        number = self._number_of_further_node(name)
        run("ip", "link", "set", f"to-{name}", "up")
        run("ip", "route", "replace", self.layout.node(number).pod_range, "via", f"10.87.{number}.2")

    def unplug(self, name: str) -> None:
        """What runs on the node runs on; nobody reaches it, and it reaches nobody."""
        self._number_of_further_node(name)
        run("ip", "link", "set", f"to-{name}", "down")

    def _number_of_further_node(self, name: str) -> int:
        further = [f"node{number}" for number in range(2, self.layout.nodes + 1)]
        if name not in further:
            raise bed.BedError(f"{name} has no cable; there are: {', '.join(further) or 'none, start with --nodes 2'}")
        return int(name.removeprefix("node"))

    def wait_for_node(self, name: str, since: str = "") -> None:
        needed = "kubelet" if name == "node1" else name
        self.supervisor.wait_until(f"{name} is Ready", 90, lambda: self.control_plane.api.node_is_ready(name, since), needed)

    def load_image(self, archive: pathlib.Path) -> None:
        if not self.layout.nodes:
            raise bed.BedError("this bed has no node that could take an image; start it with --nodes 1")
        for node in self.layout.all_nodes():
            nodes.load_image(node, archive)

    def kill(self, part: str) -> None:
        self.supervisor.kill(part)
        self._cut_cable(part)

    def start_part(self, part: str) -> None:
        server = self.supervisor.server(part)
        if part.startswith("node") and not server.process:
            began = now()
            self.start_further_node(int(part.removeprefix("node")))
            self.wait_for_node(part, began)
            return
        self.supervisor.start_again(part)
        if part in ("etcd", "kube-apiserver") and self._runs("etcd") and self._runs("kube-apiserver"):
            self.control_plane.wait_for_api_server()

    def _runs(self, name: str) -> bool:
        return bool(self.supervisor.server(name).process)

    def _cut_cable(self, part: str) -> None:
        cable = f"to-{part}"
        if has_interface(cable):
            run("ip", "link", "delete", cable)


class Events:
    """What a supervisor waits for: ended children, signals, and files that it names."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._over = False
        # Signals come as bytes in a pipe, so that one select() waits for everything.
        self._signals, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write_end)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self.on_readable(self._signals, self._read_signals)

    def on_readable(self, file: int, action: Callable[[], bool]) -> None:
        """`action` says whether to go on."""
        self._selector.register(file, selectors.EVENT_READ, action)

    def run(self, supervisor: Supervisor) -> None:
        """Buries children and runs actions until one of them, or SIGTERM, ends it."""
        while self._take(None):
            supervisor.reap()

    def wanted(self) -> bool:
        """For long waits: False once an action or SIGTERM has said to end."""
        return self._take(0)

    def _take(self, seconds: float | None) -> bool:
        if not self._over:
            self._over = not all([key.data() for key, _ in self._selector.select(seconds)])
        return not self._over

    def _read_signals(self) -> bool:
        received = os.read(self._signals, 4096)
        return signal.SIGTERM not in received and signal.SIGINT not in received


def run_inside(folder: pathlib.Path) -> None:
    """The first process of a bed with nodes. Serves until its namespaces are ended."""
    layout = bed.Layout.load(folder)
    events = Events()
    machine = Machine(layout, events)
    with ControlServer(layout.control_socket, machine) as control:
        machine.start()
        layout.inside_ready.touch()
        events.on_readable(control.fileno(), control.serve_one)
        events.run(machine.supervisor)


def run_further_node(folder: pathlib.Path, number: int) -> None:
    """The first process of a further node's namespaces."""
    layout = bed.Layout.load(folder)
    supervisor = Supervisor(layout.log, prefix=layout.node(number).name + "-")
    # node1 plugs the cable in as soon as these namespaces exist.
    supervisor.wait_until("the cable to node1 is there", 20, lambda: has_interface(nodes.UPLINK))
    run("ip", "address", "add", f"10.87.{number}.2/24", "dev", nodes.UPLINK)
    run("ip", "link", "set", nodes.UPLINK, "up")
    run("ip", "route", "add", "default", "via", f"10.87.{number}.1")
    node = Node(layout, number, supervisor)
    node.prepare()
    node.start_containerd()
    node.load_images()
    node.start_agents()
    Events().run(supervisor)


def has_interface(name: str) -> bool:
    # Not by /sys: what is mounted there shows the interfaces of the network it was mounted in.
    return name in [interface for _, interface in socket.if_nameindex()]
