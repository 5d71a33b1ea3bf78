"""JSON schemas of Kubernetes' own kinds for kubeconform, from the API specification that a release
of Kubernetes is published with. Strict: a field that the release does not know is an error.

  kubernetes_schemas.py SWAGGER FOLDER
"""

import json
import pathlib
import sys

PREFIX = "#/definitions/"
# The specification calls them strings; the API server takes numbers too.
ALSO_NUMBERS = ("int-or-string",)
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


def write_schemas(swagger, folder):
    definitions = json.loads(pathlib.Path(swagger).read_text())["definitions"]
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            group = kind["group"].split(".")[0]
            file = "-".join(part for part in (kind["kind"], group, kind["version"]) if part).lower()
            (pathlib.Path(folder) / f"{file}.json").write_text(json.dumps(_schema(name, definitions)))


def _schema(name, definitions):
    needed, waiting = {}, [name]
    while waiting:
        current = waiting.pop()
        if current in needed:
            continue
        needed[current] = _strict(current, definitions[current])
        waiting += _references(definitions[current])
    return {"$ref": PREFIX + name, "definitions": needed}


def _references(value):
    if isinstance(value, dict):
        found = [value["$ref"].removeprefix(PREFIX)] if isinstance(value.get("$ref"), str) else []
        return found + [name for part in value.values() for name in _references(part)]
    if isinstance(value, list):
        return [name for part in value for name in _references(part)]
    return []


def _strict(name, definition):
    if name == QUANTITY or definition.get("format") in ALSO_NUMBERS:
        return {"type": ["string", "number"]}
    strict = {key: value for key, value in definition.items() if not key.startswith("x-")}
    if "properties" in strict:
        strict["additionalProperties"] = False
    return strict


if __name__ == "__main__":
    write_schemas(sys.argv[1], sys.argv[2])
