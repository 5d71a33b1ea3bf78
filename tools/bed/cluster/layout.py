"""Where everything of one bed is: its folder, its options, its addresses."""

import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parents[2]
MOST_NODES = 3

# Inside a bed with nodes. They may be the same in every bed, because each has a network of its own.
POD_RANGE = "10.88.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"


class BedError(Exception):
    """Something that a person must know: what failed, why, and where to look."""


@dataclasses.dataclass(frozen=True)
class Ports:
    api: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int


@dataclasses.dataclass(frozen=True)
class NodeLayout:
    """Node N: nodeN, on its own bridge 10.88.(N-1).0/24, whose first address is the node's."""

    number: int
    folder: pathlib.Path

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def address(self) -> str:
        return f"10.88.{self.number - 1}.1"

    @property
    def pod_range(self) -> str:
        return f"10.88.{self.number - 1}.0/24"

    @property
    def containerd_socket(self) -> pathlib.Path:
        return self.folder / "containerd.sock"


@dataclasses.dataclass(frozen=True)
class Layout:
    folder: pathlib.Path
    kube: pathlib.Path
    ports: Ports
    nodes: int
    controllers: bool
    images: tuple[pathlib.Path, ...]
    api_server_flags: tuple[str, ...]

    @property
    def pki(self) -> pathlib.Path:
        return self.folder / "pki"

    @property
    def log(self) -> pathlib.Path:
        return self.folder / "log"

    @property
    def control_socket(self) -> pathlib.Path:
        return self.folder / "control.sock"

    @property
    def state(self) -> pathlib.Path:
        return self.folder / "state"

    @property
    def inside_ready(self) -> pathlib.Path:
        """Appears when everything in the bed's own namespaces is up."""
        return self.folder / "inside-ready"

    @property
    def server_url(self) -> str:
        return f"https://127.0.0.1:{self.ports.api}"

    def kubeconfig(self, user: str) -> pathlib.Path:
        return self.folder / f"{user}.kubeconfig"

    def node(self, number: int) -> NodeLayout:
        return NodeLayout(number, self.folder / f"node{number}")

    def all_nodes(self) -> list[NodeLayout]:
        return [self.node(number) for number in range(1, self.nodes + 1)]

    @property
    def cgroup(self) -> str:
        return cgroup_of(self.folder)

    def save(self) -> None:
        text = json.dumps(dataclasses.asdict(self), default=str)
        (self.folder / "layout.json").write_text(text)

    @staticmethod
    def load(folder: pathlib.Path) -> "Layout":
        values = json.loads((folder / "layout.json").read_text())
        values["folder"] = pathlib.Path(values["folder"])
        values["kube"] = pathlib.Path(values["kube"])
        values["ports"] = Ports(**values["ports"])
        values["images"] = tuple(pathlib.Path(image) for image in values["images"])
        values["api_server_flags"] = tuple(values["api_server_flags"])
        return Layout(**values)


def cgroup_of(folder: pathlib.Path) -> str:
    """The name of a bed's cgroup: two beds, two folders, two names."""
    return "tracekeeper-bed-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def built(name: str) -> pathlib.Path:
    """Where tools/setup.sh has put what it built."""
    override = os.environ.get(f"TRACEKEEPER_{name.upper()}")
    if override:
        return pathlib.Path(override)
    answer = subprocess.run([TOOLS / "setup.sh", "path", name], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise BedError(answer.stderr.strip())
    path = pathlib.Path(answer.stdout.strip())
    if not path.exists():
        raise BedError(f"{name} is not built yet: run `make setup` (or tools/setup.sh {name}), once")
    return path


def read_state(folder: pathlib.Path) -> list[tuple[str, str]]:
    """The name=value lines that a running bed leaves for programs that use it."""
    try:
        lines = (folder / "state").read_text().splitlines()
    except FileNotFoundError:
        raise BedError(f"no bed runs in {folder}; start one with: tools/bed/bed up --dir {folder}") from None
    return [tuple(line.split("=", 1)) for line in lines]
