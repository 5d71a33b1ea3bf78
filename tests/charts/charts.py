"""The charts as Helm 3 and Helm 4 render them, for tests."""

import functools
import json
import pathlib
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPERATOR = ROOT / "charts/tracekeeper"
CRDS = ROOT / "charts/tracekeeper-crds"
NAMESPACE = "tracekeeper-system"
HELMS = ("helm3", "helm4")


class Refused(Exception):
    """Helm's own words."""


@functools.cache
def tool(name):
    answer = subprocess.run([ROOT / "tools/setup.sh", "path", "helm"], capture_output=True, text=True, check=True)
    path = pathlib.Path(answer.stdout.strip()) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built yet: run `make setup` (or tools/setup.sh helm), once")
    return path


def helm(version, *arguments):
    with tempfile.TemporaryDirectory() as home:
        # Nothing of this user's Helm: no plug-in, no repository, no cluster.
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "KUBECONFIG": "/dev/null"}
        return subprocess.run([tool(version), *map(str, arguments)], capture_output=True, text=True, env=environment)


def render_text(chart=OPERATOR, values=None, version="helm4", release="tracekeeper", flags=()):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        done = helm(version, "template", release, chart, "--namespace", NAMESPACE, "--values", file.name, *flags)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout


def render(*arguments, **options):
    """{"Deployment/tracekeeper-operator": object, ...}"""
    return by_name(yaml.safe_load_all(render_text(*arguments, **options)))


def by_name(documents):
    objects = {}
    for document in documents:
        if document is None:
            continue
        name = f"{document['kind']}/{document['metadata']['name']}"
        if name in objects:
            raise ValueError(f"two objects are called {name}")
        objects[name] = document
    return objects


ABSENT = "(absent)"


def at(value, pointer):
    """What a JSON pointer leads to, or ABSENT."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(part) if isinstance(value, list) else part]
        except (KeyError, IndexError, TypeError, ValueError):
            return ABSENT
    return value


def applied_size(document):
    """Bytes of the annotation in which client-side apply keeps the object."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def rows(name):
    return yaml.safe_load((pathlib.Path(__file__).parent / name).read_text())
