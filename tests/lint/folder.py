"""A small source tree in a temporary folder, for lints to judge."""

import pathlib
import tempfile
import unittest

import tree


class FolderTest(unittest.TestCase):
    def folder(self, files):
        """A Tree that holds `files`: {path: text}."""
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        for path, text in files.items():
            target = pathlib.Path(temporary.name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return tree.Tree(temporary.name)

    def assert_one_problem(self, problems, *parts):
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])
