"""Drift of generated files."""

from folder import FolderTest
import generated


class Generated(FolderTest):
    def check(self, made, checked_in):
        return generated.check(self.folder(checked_in).root, self.folder(made).root)

    def test_equal_files_pass_and_others_do_not_matter(self):
        self.assertEqual(self.check({"crds/a.yaml": "x\n"}, {"crds/a.yaml": "x\n", "README.md": "y\n"}), [])

    def test_a_difference_is_refused_with_its_line(self):
        problems = self.check({"crds/a.yaml": "x\ny\n"}, {"crds/a.yaml": "x\nz\n"})
        self.assert_one_problem(problems, "crds/a.yaml:2", "make gen")

    def test_a_missing_end_is_refused(self):
        self.assert_one_problem(self.check({"crds/a.yaml": "x\ny\n"}, {"crds/a.yaml": "x\n"}), "crds/a.yaml:2")

    def test_a_file_that_was_never_checked_in_is_refused(self):
        self.assert_one_problem(self.check({"crds/a.yaml": "x\n"}, {}), "not checked in")

    def test_a_generator_that_writes_nothing_is_refused(self):
        self.assert_one_problem(self.check({}, {"crds/a.yaml": "x\n"}), "wrote nothing")
