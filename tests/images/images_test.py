"""The container images of the programs in $TRACEKEEPER_PROGRAM_FOLDER, made as `make images` makes
them, and the Dockerfile that must make the same."""

import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ["TRACEKEEPER_PROGRAM_FOLDER"])
# The Dockerfile's stage of each.
STAGES = {"tracekeeper-operator": "operator", "tracekeeper-sidecar": "sidecar", "tracekeeper-analyzer": "analyzer",
          "tracekeeper": "cli"}
SBOM = "usr/share/doc/tracekeeper/sbom.spdx.json"


def make(program, folder):
    root = pathlib.Path(folder) / "root"
    archive = pathlib.Path(folder) / "image.tar"
    subprocess.run([ROOT / "tools/images/collect_program.sh", PROGRAMS / program, "1.2.3", root], check=True)
    subprocess.run([ROOT / "tools/images/make_image.py", archive, f"tracekeeper.dev/{program}:1.2.3", "--root", root,
                    "--entry", json.dumps([f"/{program}"]), "--user", "65532:65532",
                    "--label", "org.opencontainers.image.version=1.2.3"], check=True)
    return Archive(archive)


class Archive:
    def __init__(self, path):
        self.bytes = path.read_bytes()
        with tarfile.open(fileobj=io.BytesIO(self.bytes)) as tar:
            self.files = {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}
        self.manifest = json.loads(self.blob(json.loads(self.files["index.json"])["manifests"][0]))
        self.config = json.loads(self.blob(self.manifest["config"]))
        with tarfile.open(fileobj=io.BytesIO(self.blob(self.manifest["layers"][0]))) as layer:
            self.entries = {entry.name: entry for entry in layer}
            self.content = {entry.name: layer.extractfile(entry).read() for entry in layer if entry.isfile()}

    def blob(self, descriptor):
        content = self.files["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]
        assert hashlib.sha256(content).hexdigest() == descriptor["digest"].removeprefix("sha256:")
        assert len(content) == descriptor["size"]
        return content


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images = {}
        for program in STAGES:
            with tempfile.TemporaryDirectory() as folder:
                cls.images[program] = make(program, folder)

    def test_equal_programs_give_equal_bytes(self):
        for program, image in self.images.items():
            with self.subTest(program):
                with tempfile.TemporaryDirectory() as folder:
                    self.assertEqual(hashlib.sha256(make(program, folder).bytes).hexdigest(),
                                     hashlib.sha256(image.bytes).hexdigest())

    def test_runs_the_program_as_a_numeric_user_that_is_not_root(self):
        for program, image in self.images.items():
            with self.subTest(program):
                self.assertEqual(image.config["config"]["User"], "65532:65532")
                self.assertEqual(image.config["config"]["Entrypoint"], [f"/{program}"])
                self.assertEqual(image.config["config"]["Labels"]["org.opencontainers.image.version"], "1.2.3")
                self.assertTrue(image.entries[program].mode & 0o005)

    def test_holds_no_more_than_is_needed(self):
        allowed = re.compile(r"tracekeeper[a-z-]*|lib(64)?/.*\.so[.0-9]*|usr/lib/.*\.so[.0-9]*|"
                             r"etc/ssl/certs/ca-certificates\.crt|" + re.escape(SBOM))
        for program, image in self.images.items():
            with self.subTest(program):
                self.assertEqual([name for name in image.content if not allowed.fullmatch(name)], [])
                self.assertIn(b"BEGIN CERTIFICATE", image.content["etc/ssl/certs/ca-certificates.crt"])
                for entry in image.entries.values():
                    self.assertFalse(entry.mode & 0o6002, f"{entry.name} is setuid or writable for all")
                    self.assertEqual((entry.uid, entry.gid, entry.mtime), (0, 0, 0))

    def test_docker_finds_the_same_layer_and_configuration(self):
        for program, image in self.images.items():
            with self.subTest(program):
                listed = json.loads(image.files["manifest.json"])[0]
                self.assertEqual(listed["RepoTags"], [f"tracekeeper.dev/{program}:1.2.3"])
                self.assertEqual(image.files[listed["Config"]], image.blob(image.manifest["config"]))
                self.assertEqual(image.files[listed["Layers"][0]], image.blob(image.manifest["layers"][0]))
                layer = hashlib.sha256(image.files[listed["Layers"][0]]).hexdigest()
                self.assertEqual(image.config["rootfs"]["diff_ids"], ["sha256:" + layer])

    def test_bill_of_materials_names_the_package_of_every_library_in_the_image(self):
        for program, image in self.images.items():
            with self.subTest(program):
                bill = json.loads(image.content[SBOM])
                self.assertEqual(bill["spdxVersion"], "SPDX-2.3")
                packages = {package["name"]: package for package in bill["packages"]}
                self.assertEqual(packages[program]["versionInfo"], "1.2.3")
                self.assertEqual(packages[program]["checksums"][0]["checksumValue"],
                                 hashlib.sha256(image.content[program]).hexdigest())
                self.assertIn("ca-certificates", packages)
                for library in (name for name in image.content if ".so" in name):
                    found = subprocess.run(["dpkg-query", "--search", "/" + library, os.path.realpath("/" + library)],
                                           capture_output=True, text=True, check=False).stdout
                    owners = set(re.findall(r"^([a-z0-9.+-]+):", found, re.MULTILINE))
                    self.assertTrue(owners & set(packages), f"{library} of {owners}")
                for relation in bill["relationships"]:
                    self.assertIn(relation["relatedSpdxElement"], {package["SPDXID"] for package in bill["packages"]})

    def test_bill_of_materials_names_what_is_compiled_in(self):
        bill = json.loads(self.images["tracekeeper-sidecar"].content[SBOM])
        linked = {relation["relatedSpdxElement"] for relation in bill["relationships"]
                  if relation["relationshipType"] == "STATIC_LINK"}
        self.assertLessEqual({"SPDXRef-libssl-dev", "SPDXRef-libboost1.74-dev"}, linked)


class Dockerfile(unittest.TestCase):
    """There is no daemon here: what the stages say is compared with the images above."""

    def setUp(self):
        self.text = (ROOT / "Dockerfile").read_text()
        joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", self.text, flags=re.MULTILINE))
        self.stages, stage = {}, None
        for line in joined.splitlines():
            if match := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
                stage = self.stages.setdefault(match[2], {"FROM": match[1]})
            elif stage is not None and line.strip():
                word, _, rest = line.partition(" ")
                stage.setdefault(word, []).append(rest)

    def test_each_stage_is_one_program_as_in_the_images(self):
        for program, name in STAGES.items():
            stage = self.stages[name]
            self.assertEqual(stage["FROM"], "scratch")
            self.assertEqual(stage["COPY"], [f"--from=build /images/{program} /"])
            self.assertEqual(stage["USER"], ["65532:65532"])
            self.assertEqual(stage["ENTRYPOINT"], [f'["/{program}"]'])
            self.assertIn("org.opencontainers.image.version", stage["LABEL"][0])

    def test_the_build_collects_with_the_script_of_make_images(self):
        build = "".join(self.stages["build"]["RUN"])
        self.assertIn('tools/images/collect_program.sh "build/release/bin/$program" "$VERSION"', build)
        for program in STAGES:
            self.assertIn(program, build)
        for file in re.findall(r"\btools/\S+\.sh\b", self.text):
            self.assertTrue(os.access(ROOT / file, os.X_OK), file)


if __name__ == "__main__":
    unittest.main()
