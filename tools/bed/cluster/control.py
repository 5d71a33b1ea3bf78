"""Requests to a running bed over a Unix socket in its folder. They go to the process that holds
the servers, because a server dies with the process that started it."""

import json
import pathlib
import signal
import socket

from . import layout as bed
from . import pki


class ControlServer:
    """One request a connection: {"command": NAME, "arguments": [...]} -> {"ok": true, "text": ...}"""

    def __init__(self, path: pathlib.Path, machine):
        self._machine = machine
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def serve_one(self) -> bool:
        """Answers the next request. A client that goes away while it waits is no reason to end."""
        connection, _ = self._socket.accept()
        with connection, connection.makefile("rw") as stream:
            try:
                request = json.loads(stream.readline())
                stream.write(json.dumps(self._answer(request)) + "\n")
                stream.flush()
            except (OSError, ValueError):
                pass
        return True

    def _answer(self, request) -> dict:
        try:
            text = COMMANDS[request["command"]](self._machine, *request["arguments"])
            return {"ok": True, "text": text or ""}
        except bed.BedError as error:
            return {"ok": False, "text": str(error)}
        except Exception as error:  # the bed stays up whatever one request met
            return {"ok": False, "text": f"{request.get('command')}: {error!r}"}


def ask(folder: pathlib.Path, command: str, *arguments: str) -> str:
    """The text that a running bed answers; its refusals are BedErrors."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(folder / "control.sock"))
        except OSError as error:
            raise bed.BedError(f"no bed answers in {folder}: {error.strerror}") from None
        with connection.makefile("rw") as stream:
            stream.write(json.dumps({"command": command, "arguments": list(arguments)}) + "\n")
            stream.flush()
            line = stream.readline()
    if not line:
        raise bed.BedError(f"the bed in {folder} ended during: {command}")
    answer = json.loads(line)
    if not answer["ok"]:
        raise bed.BedError(answer["text"])
    return answer["text"]


def _parts(machine) -> str:
    lines = [f"{server.name} {server.process or 'down'}" for server in machine.supervisor.servers()]
    return "\n".join(lines)


def _compact(machine) -> str:
    etcd = machine.etcd
    revision = etcd.call("POST", "/v3/maintenance/status", {})["header"]["revision"]
    etcd.call("POST", "/v3/kv/compaction", {"revision": revision, "physical": True})
    return revision


def _service_account(machine, namespace: str, name: str, seconds: str) -> str:
    """A kubeconfig with the account's own token; makes the account where it is missing."""
    layout, api = machine.layout, machine.control_plane.api
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    if not api.answers(f"{accounts}/{name}"):
        api.call("POST", accounts, {"metadata": {"name": name}})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
               "spec": {"expirationSeconds": int(seconds)}}
    token = api.call("POST", f"{accounts}/{name}/token", request)["status"]["token"]
    token_file = layout.folder / f"{namespace}.{name}.token"
    token_file.touch(mode=0o600)
    token_file.write_text(token)
    pki.write_kubeconfig(layout, f"{namespace}.{name}", f"tokenFile: {token_file}")
    return str(layout.kubeconfig(f"{namespace}.{name}"))


COMMANDS = {
    "kill": lambda machine, part: machine.kill(part),
    "start": lambda machine, part: machine.start_part(part),
    "pause": lambda machine, part: machine.supervisor.signal(part, signal.SIGSTOP),
    "resume": lambda machine, part: machine.supervisor.signal(part, signal.SIGCONT),
    "plug": lambda machine, node: machine.plug(node),
    "unplug": lambda machine, node: machine.unplug(node),
    "load": lambda machine, archive: machine.load_image(pathlib.Path(archive)),
    "compact": _compact,
    "parts": _parts,
    "service-account": _service_account,
}
