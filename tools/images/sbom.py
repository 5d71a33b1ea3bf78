#!/usr/bin/python3
"""Writes the software bill of materials (SPDX 2.3, JSON) of a program built by CMake and Ninja: the
program itself, the Debian packages of the libraries that it loads, and those of what was compiled
or linked into it, as the build's own records name them.

  sbom.py BUILD/bin/PROGRAM VERSION OUTPUT [FILE...]     FILE: what else is in the image

Equal programs give equal bytes: no time and no path of this machine gets in.
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

CREATED = "1970-01-01T00:00:00Z"


class SbomError(Exception):
    pass


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise SbomError(f"{' '.join(map(str, command[:4]))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def loaded_libraries(program):
    """What the loader would load."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if "not a dynamic executable" in listing.stdout + listing.stderr:
        return set()
    return set(re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listing.stdout, re.MULTILINE))


def compiled_in(build, program):
    """Headers and static libraries of the system that went into the program."""
    target = os.path.relpath(program, build)
    inputs = run("ninja", "-C", build, "-t", "inputs", target).splitlines()
    files = {path for path in inputs if path.startswith("/usr/") and path.endswith(".a")}
    objects = [path for path in inputs if path.endswith(".o")]
    for line in run("ninja", "-C", build, "-t", "deps", *objects).splitlines():
        path = line.strip()
        if line.startswith(" ") and path.startswith("/usr/"):
            files.add(path)
    if not objects or not files:
        raise SbomError(f"{build} has no records of how {target} was built: build it with Ninja first")
    return files


def debian_packages(files):
    """{name: (version, architecture, source)} of the packages that own the files."""
    paths = sorted({form for file in files for form in (file, os.path.realpath(file))})
    found = subprocess.run(["dpkg-query", "--search", *paths], capture_output=True, text=True, check=False)
    names = {name.strip() for line in found.stdout.splitlines() if not line.startswith("diversion ")
             for name in line.split(": /")[0].split(",")}
    if not names:
        return {}
    form = "${Package}\t${Version}\t${Architecture}\t${source:Package}\n"
    rows = (line.split("\t") for line in run("dpkg-query", "--show", "--showformat", form, *sorted(names)).splitlines())
    return {name: (version, architecture, source) for name, version, architecture, source in rows}


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package_entry(name, version, architecture, source):
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}&distro=debian-12"
    return {"SPDXID": spdx_id(name), "name": name, "versionInfo": version, "sourceInfo": f"built from {source}",
            "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}


def document(program, version, groups):
    """`groups`: relationship -> packages."""
    name = pathlib.Path(program).name
    digest = hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()
    own = {"SPDXID": spdx_id(name), "name": name, "versionInfo": version, "supplier": "Organization: Tracekeeper",
           "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "Apache-2.0",
           "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION", "primaryPackagePurpose": "APPLICATION",
           "checksums": [{"algorithm": "SHA256", "checksumValue": digest}]}
    packages, relationships = {}, []
    for relation, found in groups.items():
        for package, facts in sorted(found.items()):
            packages[package] = package_entry(package, *facts)
            relationships.append({"spdxElementId": spdx_id(name), "relationshipType": relation,
                                  "relatedSpdxElement": spdx_id(package)})
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"{name}-{version}",
            "documentNamespace": f"https://tracekeeper.dev/sbom/{name}/{digest}",
            "creationInfo": {"created": CREATED, "creators": ["Organization: Tracekeeper", "Tool: tools/images/sbom.py"]},
            "documentDescribes": [spdx_id(name)], "packages": [own, *(packages[key] for key in sorted(packages))],
            "relationships": relationships}


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, version, output, others = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    try:
        build = pathlib.Path(program).resolve().parents[1]
        groups = {"DYNAMIC_LINK": debian_packages(loaded_libraries(program)),
                  "STATIC_LINK": debian_packages(compiled_in(build, program)),
                  "CONTAINS": debian_packages(others)}
        # Debian makes /etc/ssl/certs/ca-certificates.crt on the machine, so no package owns it.
        if any(path.endswith("ca-certificates.crt") for path in others):
            groups["CONTAINS"] |= debian_packages(["/usr/share/ca-certificates/mozilla"])
        text = json.dumps(document(program, version, groups), indent=1)
    except SbomError as error:
        sys.exit(f"sbom.py: {error}")
    pathlib.Path(output).write_text(text + "\n")


if __name__ == "__main__":
    main()
