"""Lints that ask a tool: clang-format, the compiler, readelf, clang-tidy."""

import contextlib
import io
import os
import pathlib
import subprocess
import tempfile

from folder import FolderTest
import binaries
import format as formatting
import headers
import passes
import tidy

HARDENED = ["-O2", "-D_FORTIFY_SOURCE=3", "-fstack-protector-all", "-fPIE", "-pie", "-Wl,-z,relro,-z,now,-z,noexecstack"]
PROGRAM = "#include <cstdio>\n#include <cstring>\nint main(int n, char** v) {\n  char b[8];\n  strcpy(b, v[n - 1]);\n  puts(b);\n}\n"


class Format(FolderTest):
    STYLE = "BasedOnStyle: Google\n"

    def check(self, text):
        return formatting.check(self.folder({".clang-format": self.STYLE, "src/a.cc": text}))

    def test_formatted_code_passes(self):
        self.assertEqual(self.check("int F() { return 1; }\n"), [])

    def test_unformatted_code_is_refused_by_name(self):
        self.assert_one_problem(self.check("int  F( ) {return 1;}\n"), "src/a.cc", "make fmt")


class Headers(FolderTest):
    def check(self, files, cache):
        return headers.check(self.folder(files), passes.Passes("headers", cache))

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.cache = temporary.name

    def test_a_header_that_leans_on_its_includer_is_refused(self):
        files = {"src/a.h": "#pragma once\ninline std::string F() { return {}; }\n"}
        self.assert_one_problem(self.check(files, self.cache), "src/a.h", "does not compile alone", "std")

    def test_a_pass_is_remembered_until_an_included_header_changes(self):
        files = {"src/a.h": '#pragma once\n#include "src/b.h"\ninline B F() { return {}; }\n',
                 "src/b.h": "#pragma once\nstruct B {};\n"}
        self.assertEqual(self.check(files, self.cache), [])
        self.assertEqual(len(os.listdir(pathlib.Path(self.cache, "lint/headers"))), 2)
        files["src/b.h"] = "#pragma once\nstruct C {};\n"
        self.assert_one_problem(self.check(files, self.cache), "src/a.h")

    def test_what_its_own_source_includes_first_is_left_to_the_build(self):
        leaning = "#pragma once\ninline std::string F() { return {}; }\n"
        first = '#include "src/a.h"\n\n#include <string>\n'
        later = '#include <string>\n\n#include "src/a.h"\n'
        self.assertEqual(self.check({"src/a.h": leaning, "src/a.cc": first}, self.cache), [])
        self.assert_one_problem(self.check({"src/a.h": leaning, "src/a.cc": later}, self.cache), "src/a.h")
        self.assert_one_problem(self.check({"tests/a.h": leaning.replace("F", "G"), "tests/a.cc": first.replace("src", "tests")}, self.cache), "tests/a.h")

    def test_a_failure_is_not_remembered(self):
        files = {"src/a.h": "#pragma once\nUnknown F();\n"}
        self.assertEqual(len(self.check(files, self.cache)), 1)
        self.assertEqual(len(self.check(files, self.cache)), 1)


class Binaries(FolderTest):
    def program(self, flags):
        root = self.folder({"a.cc": PROGRAM}).root
        subprocess.run(["g++", *flags, "-o", root / "a", root / "a.cc"], check=True, stderr=subprocess.DEVNULL)
        return root / "a"

    def test_a_hardened_program_passes(self):
        self.assertEqual(binaries.check([self.program(HARDENED)]), [])

    def test_each_flag_that_is_lost_is_named(self):
        cases = [(["-fPIE", "-pie"], ["-no-pie"], "position-independent"),
                 (["-Wl,-z,relro,-z,now,-z,noexecstack"], ["-Wl,-z,norelro,-z,now"], "RELRO"),
                 (["-Wl,-z,relro,-z,now,-z,noexecstack"], ["-Wl,-z,relro,-z,lazy"], "bound at start"),
                 (["-Wl,-z,relro,-z,now,-z,noexecstack"], ["-Wl,-z,relro,-z,now,-z,execstack"], "executable stack"),
                 (["-fstack-protector-all"], ["-fno-stack-protector"], "stack protector"),
                 (["-D_FORTIFY_SOURCE=3"], ["-U_FORTIFY_SOURCE"], "fortified")]
        for lost, instead, said in cases:
            with self.subTest(said):
                flags = [f for f in HARDENED if f not in lost] + instead
                self.assert_one_problem(binaries.check([self.program(flags)]), said)


class Tidy(FolderTest):
    def units(self, changed):
        tree = self.folder({"src/a.h": "", "src/a.cc": '#include "src/a.h"\n', "src/b.h": "",
                            "src/c.cc": '#include "src/b.h"\n', "src/d.cc": '#include "src/b.h"\n'})
        return tidy._units(tree, {"src/a.cc": "", "src/c.cc": "", "src/d.cc": ""}, changed)

    def test_a_changed_source_is_read(self):
        self.assertEqual(self.units({"src/c.cc", "README.md"}), ["src/c.cc"])

    def test_a_changed_header_is_read_through_its_own_source(self):
        self.assertEqual(self.units({"src/a.h"}), ["src/a.cc"])

    def test_a_header_without_a_source_is_read_through_its_first_includer(self):
        self.assertEqual(self.units({"src/b.h"}), ["src/c.cc"])

    def test_without_a_base_commit_everything_is_read(self):
        self.assertEqual(self.units(None), ["src/a.cc", "src/c.cc", "src/d.cc"])

    def test_a_deleted_file_is_not_read(self):
        self.assertEqual(self.units({"src/gone.cc", "src/gone.h"}), [])

    def test_more_files_than_a_run_may_cost_leave_the_tests_out_and_say_so(self):
        waiting = ["src/a.cc", "tests/src/a_test.cc", "cli/b.cc"]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertEqual(tidy._affordable(waiting, 3), waiting)
            self.assertEqual(said.getvalue(), "")
            self.assertEqual(tidy._affordable(waiting, 2), ["src/a.cc", "cli/b.cc"])
        self.assertIn("left out 1 in tests/", said.getvalue())

    def test_a_fault_is_refused_and_a_pass_remembered(self):
        root = self.folder({".clang-tidy": "Checks: '-*,bugprone-use-after-move'\n", "src/good.cc": "int x;\n",
                            "src/bad.cc": "#include <string>\n#include <utility>\nvoid F(std::string a) {\n"
                                          "  std::string b = std::move(a);\n  a.clear();\n  b += std::move(b) + b;\n}\n"}).root
        database = ",".join(f'{{"directory": "{root}", "file": "{root}/src/{name}.cc", '
                            f'"command": "clang++-19 -std=c++20 -c {root}/src/{name}.cc"}}' for name in ("good", "bad"))
        (root / "build/tidy").mkdir(parents=True)
        (root / "build/tidy/compile_commands.json").write_text(f"[{database}]")
        cache = passes.Passes("tidy", root / "cache")
        tree = type(self.folder({}))(root)
        self.assert_one_problem(tidy.check(tree, True, cache), "src/bad.cc:6", "bugprone-use-after-move")
        self.assertEqual(len(os.listdir(cache.folder)), 1)
