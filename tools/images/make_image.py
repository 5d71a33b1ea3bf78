#!/usr/bin/python3
"""Writes a container image as an archive, with no daemon, no registry and no privilege: an OCI image
layout, with the manifest beside it that Docker reads.

Equal inputs give equal bytes: no time, owner or order of this machine gets in.

  make_image.py app.tar shop/app:1 --program /app=build/bin/app --entry '["/app"]' --user 65532:65532
  ctr -n k8s.io images import app.tar        (or: docker load -i app.tar)
"""

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile

CREATED = "1970-01-01T00:00:00Z"
STICKY_FOLDERS = {"tmp", "var/tmp"}


class ImageError(Exception):
    pass


class Layer:
    """One file system layer: folders are made as files need them."""

    def __init__(self):
        self._entries = {}

    def add_folder(self, path):
        path = path.strip("/")
        if not path or path in self._entries:
            return
        self.add_folder(os.path.dirname(path))
        mode = 0o1777 if path in STICKY_FOLDERS else 0o755
        self._entries[path] = (tar_entry(path, tarfile.DIRTYPE, mode), b"")

    def add_link(self, path, target):
        path = path.strip("/")
        self.add_folder(os.path.dirname(path))
        entry = tar_entry(path, tarfile.SYMTYPE, 0o777)
        entry.linkname = target
        self._entries[path] = (entry, b"")

    def add_file(self, path, source):
        path = path.strip("/")
        self.add_folder(os.path.dirname(path))
        try:
            with open(source, "rb") as file:
                content = file.read()
                executable = os.fstat(file.fileno()).st_mode & 0o111
        except OSError as error:
            raise ImageError(f"cannot read {source}: {error.strerror}") from error
        entry = tar_entry(path, tarfile.REGTYPE, 0o755 if executable else 0o644)
        entry.size = len(content)
        self._entries[path] = (entry, content)

    def add_program(self, path, source):
        """Adds a program and every shared library that it loads, each at the place it is here."""
        self.add_file(path, source)
        for library in shared_libraries(source):
            self.add_file(library, library)

    def add_tree(self, root):
        """Adds a folder with all below it as the root of the file system."""
        for folder, _, files in os.walk(root):
            self.add_folder(os.path.relpath(folder, root) if folder != root else "")
            for file in files:
                source = os.path.join(folder, file)
                self.add_file(os.path.relpath(source, root), source)

    def tar(self):
        return tar_of(self._entries[path] for path in sorted(self._entries))


def tar_entry(name, kind, mode):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def tar_of(entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry, content in entries:
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def shared_libraries(program):
    """Paths of what the loader would load for `program`; none for a static one."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        if "not a dynamic executable" in listing.stdout + listing.stderr:
            return []
        raise ImageError(f"ldd {program}: {listing.stderr.strip()}")
    missing = re.findall(r"^\s*(\S+) => not found", listing.stdout, re.MULTILINE)
    if missing:
        raise ImageError(f"{program} needs libraries that are not here: {', '.join(missing)}")
    return sorted(set(re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listing.stdout, re.MULTILINE)))


def image_config(arguments, layer_digest):
    config = {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", *arguments.env]}
    if arguments.entry:
        config["Entrypoint"] = arguments.entry
    if arguments.cmd:
        config["Cmd"] = arguments.cmd
    if arguments.user:
        config["User"] = arguments.user
    if arguments.label:
        config["Labels"] = dict(label.split("=", 1) for label in arguments.label)
    document = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "created": CREATED,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + layer_digest]},
        "history": [{"created": CREATED, "created_by": "make_image.py"}],
    }
    return json_bytes(document)


def full_name(name):
    """As containerd calls it: a registry is always there."""
    first = name.split("/")[0]
    if "/" not in name:
        return "docker.io/library/" + name
    return name if "." in first or ":" in first or first == "localhost" else "docker.io/" + name


def write_archive(arguments, layer):
    blobs = {}

    def blob(content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        blobs["blobs/sha256/" + digest] = content
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content)}

    layer_blob = blob(layer.tar(), "application/vnd.oci.image.layer.v1.tar")
    config = image_config(arguments, layer_blob["digest"].removeprefix("sha256:"))
    config_blob = blob(config, "application/vnd.oci.image.config.v1+json")
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = blob(json_bytes({"schemaVersion": 2, "mediaType": manifest_type, "config": config_blob,
                                "layers": [layer_blob]}), manifest_type)
    manifest["annotations"] = {"io.containerd.image.name": full_name(arguments.name),
                               "org.opencontainers.image.ref.name": arguments.name.rpartition(":")[2]}

    def path_of(descriptor):
        return "blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")

    files = {
        "oci-layout": json_bytes({"imageLayoutVersion": "1.0.0"}),
        "index.json": json_bytes({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                                  "manifests": [manifest]}),
        "manifest.json": json_bytes([{"Config": path_of(config_blob), "RepoTags": [arguments.name],
                                      "Layers": [path_of(layer_blob)]}]),
        **blobs,
    }
    entries = []
    for name, content in sorted(files.items()):
        entry = tar_entry(name, tarfile.REGTYPE, 0o644)
        entry.size = len(content)
        entries.append((entry, content))
    # Renamed when whole: a reader never meets half an archive.
    unfinished = f"{arguments.output}.{os.getpid()}"
    with open(unfinished, "wb") as file:
        file.write(tar_of(entries))
    os.replace(unfinished, arguments.output)


def json_bytes(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def json_list(text):
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise argparse.ArgumentTypeError(f"""{text} is not a JSON list of strings, as '["/app", "--flag"]'""")
    return value


def mapping(text):
    destination, separator, source = text.partition("=")
    if not separator or not destination.startswith("/") or not source:
        raise argparse.ArgumentTypeError(f"{text} is not /PATH/IN/THE/IMAGE=SOURCE")
    return destination, source


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="the archive to write")
    parser.add_argument("name", help="name and tag, as shop/app:1")
    parser.add_argument("--root", metavar="FOLDER", help="a folder whose content is the image's")
    parser.add_argument("--program", action="append", default=[], type=mapping, metavar="DEST=SOURCE",
                        help="a program with the shared libraries it needs")
    parser.add_argument("--file", action="append", default=[], type=mapping, metavar="DEST=SOURCE",
                        help="a file; executable if the source is")
    parser.add_argument("--link", action="append", default=[], type=mapping, metavar="DEST=TARGET",
                        help="a symbolic link")
    parser.add_argument("--folder", action="append", default=[], metavar="DEST", help="an empty folder")
    parser.add_argument("--entry", type=json_list, metavar="JSON", help="entry point, a JSON list")
    parser.add_argument("--cmd", type=json_list, metavar="JSON", help="default arguments, a JSON list")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user", default="", metavar="UID[:GID]")
    parser.add_argument("--label", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    layer = Layer()
    try:
        if arguments.root:
            layer.add_tree(arguments.root)
        for path in arguments.folder:
            layer.add_folder(path)
        for path, source in arguments.file:
            layer.add_file(path, source)
        for path, source in arguments.program:
            layer.add_program(path, source)
        for path, target in arguments.link:
            layer.add_link(path, target)
        write_archive(arguments, layer)
    except ImageError as error:
        sys.exit(f"make_image.py: {error}")


if __name__ == "__main__":
    main()
