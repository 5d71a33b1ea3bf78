"""The commands of tools/bed/bed."""

import argparse
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

from . import control, keeper, machine
from . import layout as bed

EPILOG = """examples:
  tools/bed/bed up --nodes 1                     a cluster with one real node (as root)
  tools/bed/bed kubectl get nodes
  tools/bed/bed load build/images/sidecar.tar    pods then say imagePullPolicy: Never
  tools/bed/bed enter -- curl -k https://10.96.0.1/readyz
  tools/bed/bed restart kube-apiserver
  tools/bed/bed logs kubelet
  tools/bed/bed down
  tools/bed/bed run --controllers -- ./try.sh    a cluster for one command; KEEP=1 leaves it running
"""


def main() -> int:
    try:
        arguments = _parser().parse_args()
        return arguments.action(arguments) or 0
    except bed.BedError as error:
        print(f"bed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bed", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EPILOG,
        description="Runs a real Kubernetes in a temporary folder: etcd, API server, controllers, real nodes.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, action, help_text, *positional, hidden=False, cluster=False):
        listed = {} if hidden else {"help": help_text}  # without help it is not in the list
        added = commands.add_parser(name, description=help_text, **listed)
        added.set_defaults(action=action)
        added.add_argument("--dir", default=str(keeper.default_folder()), help="folder of the bed (default: %(default)s)")
        if cluster:
            _add_cluster_options(added)
        for argument in positional:
            added.add_argument(argument, **({"nargs": argparse.REMAINDER} if argument == "command" else {}))
        return added

    command("up", _up, "start a bed in the background and say how to reach it", cluster=True)
    command("down", _down, "end a bed and remove all of it")
    command("run", _run, "start a bed, run a command with KUBECONFIG set, end the bed", "command", cluster=True)
    command("serve", _serve, "hold a bed until standard input ends", hidden=True, cluster=True)
    command("check", _check, "say whether this user can have such a bed here", cluster=True)
    command("kubectl", _kubectl, "kubectl as admin", "command")
    command("enter", _enter, "run a command in the network of a bed with nodes, with KUBECONFIG set", "command")
    command("parts", _ask("parts"), "list the servers and their processes")
    for name, what in (("kill", "kill a part with SIGKILL"), ("start", "start a killed part"),
                       ("pause", "stop a part where it is (SIGSTOP)"), ("resume", "let a paused part go on")):
        command(name, _ask(name), f"{what}: etcd, kube-apiserver, kubelet, node2, ...", "part")
    command("unplug", _ask("unplug"), "cut the cable to a further node: what runs there runs on", "part")
    command("plug", _ask("plug"), "mend the cable to a further node", "part")
    command("restart", _restart, "kill a part and start it again", "part")
    command("load", _load, "import an image archive into every node", "archive")
    command("compact", _ask("compact"), "compact etcd at its newest revision")
    account = command("service-account", _service_account, "write a kubeconfig of a service account and print its path",
                      "namespace", "name")
    account.add_argument("--lifetime", type=int, default=3600, help="of its token, in seconds")
    command("logs", _logs, "follow the log of a part", "part")
    command("inside", lambda arguments: machine.run_inside(pathlib.Path(arguments.dir)), "", hidden=True)
    further = command("further-node", _further_node, "", hidden=True)
    further.add_argument("--number", type=int, required=True)
    return parser


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nodes", type=int, default=0, help="real nodes, 0 to 3 (needs root)")
    parser.add_argument("--controllers", action="store_true",
                        help="kube-controller-manager and kube-scheduler; nodes bring them along")
    parser.add_argument("--image", action="append", default=[], help="image archive for every node")
    parser.add_argument("--api-server-flag", action="append", default=[], help="as --api-server-flag=--v=4")
    parser.add_argument("--keep-after-input", action="store_true", help=argparse.SUPPRESS)


def _serve(arguments) -> None:
    try:
        keeper.keep(arguments, None if arguments.keep_after_input else sys.stdin.fileno())
    except bed.BedError as error:
        # Whoever waits for "ready" reads standard output.
        print(error, flush=True)
        sys.exit(1)


def _start_keeper(arguments) -> None:
    command = [*machine.bed_command("serve"), "--dir", arguments.dir, "--nodes", str(arguments.nodes), "--keep-after-input"]
    command += ["--controllers"] if arguments.controllers else []
    command += [f"--image={image}" for image in arguments.image]
    command += [f"--api-server-flag={flag}" for flag in arguments.api_server_flag]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               start_new_session=True)
    answer = process.stdout.readline()
    if answer != "ready\n":
        raise bed.BedError((answer + process.stdout.read()).strip() or "it did not start, for the reason above")


def _up(arguments) -> None:
    started = time.monotonic()
    _start_keeper(arguments)
    print(f"The cluster is up after {time.monotonic() - started:.1f} s.")
    _explain(arguments)


def _explain(arguments) -> None:
    folder, tool = arguments.dir, shlex.quote(str(bed.TOOLS / "bed/bed"))
    own = "" if folder == str(keeper.default_folder()) else f" --dir {shlex.quote(folder)}"
    print(f"  reach it   export KUBECONFIG={folder}/admin.kubeconfig; {tool} kubectl{own} get namespaces")
    if arguments.nodes:
        print(f"  enter it   {tool} enter{own} -- COMMAND   (the network of the control plane, node1 and its pods)")
    print(f"  logs       {folder}/log")
    print(f"  stop it    {tool} down{own}")


def _down(arguments) -> None:
    folder = pathlib.Path(arguments.dir)
    state = dict(bed.read_state(folder))
    try:
        os.kill(int(state["keeper"]), signal.SIGTERM)
    except ProcessLookupError:
        keeper.sweep(folder.parent)  # it was killed
    deadline = time.monotonic() + 30
    while folder.exists():
        if time.monotonic() > deadline:
            raise bed.BedError(f"the bed did not end within 30 s; its keeper is process {state['keeper']}")
        time.sleep(0.02)


def _run(arguments) -> int:
    """The command's own exit code. The bed ends after it, unless KEEP=1."""
    command = _command_of(arguments)
    _start_keeper(arguments)
    try:
        return subprocess.run(command, env=_environment(arguments.dir), check=False).returncode
    finally:
        if os.environ.get("KEEP") == "1":
            print("The cluster is left running (KEEP=1).")
            _explain(arguments)
        else:
            _down(arguments)


def _command_of(arguments) -> list[str]:
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise bed.BedError("which command? as in: tools/bed/bed run -- kubectl get namespaces")
    return command


def _environment(folder: str) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": f"{folder}/admin.kubeconfig", "TRACEKEEPER_BED": folder,
            "PATH": f"{folder}/bin:{os.environ['PATH']}"}


def _check(arguments) -> int:
    reason = keeper.why_no_nodes() if arguments.nodes else ""
    if reason:
        print(reason, file=sys.stderr)
    return 1 if reason else 0


def _kubectl(arguments) -> None:
    bed.read_state(pathlib.Path(arguments.dir))
    kubectl = f"{arguments.dir}/bin/kubectl"
    words = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    os.execve(kubectl, [kubectl, *words], _environment(arguments.dir))


def _enter(arguments) -> None:
    """Replaces this process, so that signals and the exit code are the command's own."""
    command = _command_of(arguments)
    process = dict(bed.read_state(pathlib.Path(arguments.dir)))["namespace_process"]
    if process != "0":
        command = ["nsenter", f"--net=/proc/{process}/ns/net", "--", *command]
    os.execvpe(command[0], command, _environment(arguments.dir))


def _ask(name: str):
    def action(arguments) -> None:
        words = [arguments.part] if hasattr(arguments, "part") else []
        text = control.ask(pathlib.Path(arguments.dir), name, *words)
        if text:
            print(text)
    return action


def _restart(arguments) -> None:
    for name in ("kill", "start"):
        control.ask(pathlib.Path(arguments.dir), name, arguments.part)


def _load(arguments) -> None:
    control.ask(pathlib.Path(arguments.dir), "load", str(pathlib.Path(arguments.archive).resolve()))


def _service_account(arguments) -> None:
    print(control.ask(pathlib.Path(arguments.dir), "service-account", arguments.namespace, arguments.name,
                      str(arguments.lifetime)))


def _logs(arguments) -> None:
    log = f"{arguments.dir}/log/{arguments.part}"
    if not os.path.exists(log):
        raise bed.BedError(f"no log {log}; there are: {' '.join(sorted(os.listdir(os.path.dirname(log))))}")
    os.execvp("tail", ["tail", "-n", "100", "-f", log])


def _further_node(arguments) -> None:
    machine.run_further_node(pathlib.Path(arguments.dir), arguments.number)
