"""Size caps: what the brace counter takes for a function, and what it refuses."""

from folder import FolderTest
import sizes


def body(lines):
    return "  Call();\n" * lines


def names(text):
    return [name for name, _, _ in sizes.cpp_functions(text)]


class Sizes(FolderTest):
    def check(self, files, exceptions=""):
        return sizes.check(self.folder({"tools/lint/size_exceptions.txt": exceptions, **files}))

    def test_caps_are_the_last_size_that_passes(self):
        self.assertEqual(self.check({"src/a.cc": "int x;\n" * 400, "src/b.cc": f"void F() {{\n{body(60)}}}\n"}), [])

    def test_a_long_file_is_refused(self):
        self.assert_one_problem(self.check({"src/a.cc": "int x;\n" * 401}), "src/a.cc", "401", "400")

    def test_a_long_function_is_refused_with_its_line(self):
        problems = self.check({"src/a.cc": f"\nvoid Ns::F(int a) const {{\n{body(61)}}}\n"})
        self.assert_one_problem(problems, "src/a.cc:2", "Ns::F", "61", "60")

    def test_a_long_method_in_a_class_in_a_namespace_is_refused(self):
        text = f"namespace a {{\nclass B final : public C {{\n public:\n  int F() const override {{\n{body(70)}}}\n}};\n}}\n"
        self.assert_one_problem(self.check({"src/a.h": text}), "src/a.h:4", "70")

    def test_a_long_test_case_is_refused_under_its_name(self):
        self.assert_one_problem(self.check({"tests/a.cc": f"TEST_F(Store, Keeps) {{\n{body(61)}}}\n"}), "Store.Keeps")

    def test_a_long_constructor_is_refused_after_its_initializers(self):
        text = f"A::A(int b) : b_{{b}}, c_{{1, {{2}}}}, d_(b) {{\n{body(61)}}}\n"
        self.assert_one_problem(self.check({"src/a.cc": text}), "A::A", "61")

    def test_a_long_python_function_is_refused(self):
        self.assert_one_problem(self.check({"tools/a.py": "def f():\n" + "    x = 1\n" * 61}), "tools/a.py", "61")

    def test_an_exception_with_a_reason_passes_and_holds_its_limit(self):
        files = {"src/a.cc": f"void F() {{\n{body(70)}}}\n"}
        self.assertEqual(self.check(files, "src/a.cc F : 70 : one row for each field of the table\n"), [])
        self.assert_one_problem(self.check(files, "src/a.cc F : 65 : one row for each field of the table\n"), "allowed are 65")

    def test_an_exception_without_a_reason_is_refused(self):
        self.assert_one_problem(self.check({}, "src/a.cc : 500 : big\n"), "size_exceptions.txt:1", "reason")

    def test_an_exception_that_nothing_needs_is_refused(self):
        self.assert_one_problem(self.check({"src/a.cc": ""}, "src/a.cc : 500 : tables of the old format\n"), "delete the line")


class Functions(FolderTest):
    def test_data_and_scopes_are_no_functions(self):
        text = ("namespace a {\nconstexpr Row kRows[] = {\n    {1, F(2)},\n};\nenum class E { kA };\n"
                "struct S { int x = F(); std::string y{\"}\"}; };\nextern \"C\" {\nint z;\n}\n}\n")
        self.assertEqual(names(text), [])

    def test_functions_after_data_are_found(self):
        text = "const int kA[] = {1, 2};\nstatic int F(std::vector<int> v = {}) { return '{'; }\nint G() { return 1; }\n"
        self.assertEqual(names(text), ["F", "G"])

    def test_lambdas_and_operators_count(self):
        text = "const auto kF = [](int a) {\n  return a;\n};\nbool A::operator==(const A& b) const {\n  return true;\n}\n"
        self.assertEqual([lines for _, _, lines in sizes.cpp_functions(text)], [1, 1])

    def test_strings_comments_and_macros_do_not_count_braces(self):
        text = '#define OPEN {\n// {\nvoid F() {\n  auto s = "}";\n  auto r = R"(}})";\n}\nvoid G() {}\n'
        self.assertEqual(sizes.cpp_functions(text), [("F", 3, 2), ("G", 7, 0)])

    def test_nested_blocks_belong_to_the_outermost_function(self):
        self.assertEqual(sizes.cpp_functions("void F() {\n  if (a) {\n    b();\n  }\n  auto l = [] {\n  };\n}\n"), [("F", 1, 5)])
