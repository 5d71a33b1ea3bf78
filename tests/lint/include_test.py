"""Includes: layers, third-party headers, forbidden words."""

from folder import FolderTest
import forbidden
import layers
import third_party
import tree

LAYERS = "src/base :\nsrc/net : src/base\n"


class Layers(FolderTest):
    def check(self, files, table=LAYERS):
        return layers.check(self.folder({"tools/lint/layers.txt": table, **files}))

    def test_an_allowed_include_passes(self):
        self.assertEqual(self.check({"src/net/a.cc": '#include "src/base/b.h"\n#include <string>\n'}), [])

    def test_an_arrow_that_the_table_does_not_have_is_refused(self):
        problems = self.check({"src/base/a.cc": '\n#include "src/net/b.h"\n'})
        self.assert_one_problem(problems, "src/base/a.cc:2", "may not include src/net")

    def test_a_folder_without_a_line_is_refused(self):
        self.assert_one_problem(self.check({"src/new/a.cc": ""}), "src/new/a.cc", "add a line")

    def test_a_relative_include_is_refused(self):
        self.assert_one_problem(self.check({"src/net/a.cc": '#include "b.h"\n'}), "no path from the root")

    def test_product_code_may_not_include_tests(self):
        self.assert_one_problem(self.check({"src/net/a.cc": '#include "tests/support/b.h"\n'}), "src/net/a.cc:1")

    def test_tests_may_include_everything(self):
        self.assertEqual(self.check({"tests/src/net/a.cc": '#include "src/net/b.h"\n'}), [])

    def test_a_circle_in_the_table_is_refused(self):
        problems = self.check({}, "src/a : src/b\nsrc/b : src/c\nsrc/c : src/a\n")
        self.assert_one_problem(problems, "circle", "src/a -> src/b -> src/c -> src/a")

    def test_a_folder_with_two_lines_is_refused(self):
        self.assert_one_problem(self.check({}, "src/a :\nsrc/a : src/b\n"), "layers.txt:2", "two lines")

    def test_headers_that_include_each_other_are_refused(self):
        problems = self.check({"src/net/a.h": '#include "src/net/b.h"\n', "src/net/b.h": '#include "src/net/a.h"\n'})
        self.assert_one_problem(problems, "include each other")

    def test_the_templates_of_a_header_may_include_it_back(self):
        self.assertEqual(self.check({"src/net/a.h": '#include "src/net/a_inl.h"\n',
                                     "src/net/a_inl.h": '#include "src/net/a.h"\n'}), [])

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual(self.check({"src/base/a.cc": '// #include "src/net/b.h"\n/*\n#include "src/net/b.h"\n*/\n'}), [])


class ThirdParty(FolderTest):
    TABLE = "boost/ : heavy : src/net tests/src/net\nfmt/ : light : *\ntl/ : light : src/base\n"

    def check(self, files):
        return third_party.check(self.folder({"tools/lint/third_party.txt": self.TABLE, **files}))

    def test_the_owner_may_include_it_in_its_cc_files(self):
        self.assertEqual(self.check({"src/net/a.cc": "#include <boost/asio.hpp>\n"}), [])

    def test_another_folder_is_refused(self):
        problems = self.check({"src/kube/a.cc": "#include <boost/asio.hpp>\n"})
        self.assert_one_problem(problems, "src/kube/a.cc:1", "belongs to src/net")

    def test_a_folder_whose_name_only_begins_alike_is_refused(self):
        self.assertEqual(len(self.check({"src/network/a.cc": "#include <boost/asio.hpp>\n"})), 1)

    def test_a_heavy_header_in_a_header_is_refused(self):
        self.assert_one_problem(self.check({"src/net/a.h": "#include <boost/asio.hpp>\n"}), ".cc file only")

    def test_a_light_header_may_stand_in_headers(self):
        self.assertEqual(self.check({"src/base/a.h": "#include <tl/expected.hpp>\n#include <fmt/format.h>\n"}), [])

    def test_an_unknown_library_is_refused(self):
        self.assert_one_problem(self.check({"src/net/a.cc": "#include <absl/strings/str_cat.h>\n"}), "has no line")

    def test_language_and_platform_headers_need_no_line(self):
        text = "#include <vector>\n#include <unistd.h>\n#include <sys/inotify.h>\n#include <netinet/in.h>\n"
        self.assertEqual(self.check({"src/net/a.h": text}), [])


class Forbidden(FolderTest):
    TABLE = ("src : text : TracingPolicy tracekeeper.dev : src is free of kinds\n"
             "operator/domain : code : <thread> Clock : decisions are pure\n")

    def check(self, files):
        return forbidden.check(self.folder({"tools/lint/forbidden.txt": self.TABLE, **files}))

    def test_a_kind_is_refused_even_in_a_comment(self):
        problems = self.check({"src/kube/a.h": "\n// as a TracingPolicy does\n"})
        self.assert_one_problem(problems, "src/kube/a.h:2", "TracingPolicy", "free of kinds")

    def test_a_kind_is_refused_in_a_string(self):
        self.assertEqual(len(self.check({"src/kube/a.cc": 'auto g = "tracekeeper.dev";\n'})), 1)

    def test_a_longer_word_is_another_word(self):
        self.assertEqual(self.check({"src/kube/a.cc": "int TracingPolicyKeeper;\n"}), [])

    def test_a_header_is_refused_where_decisions_are_pure(self):
        self.assert_one_problem(self.check({"operator/domain/a.cc": "#include <thread>\n"}), "<thread>", "pure")

    def test_code_words_may_stand_in_comments_but_not_in_code(self):
        self.assertEqual(self.check({"operator/domain/a.h": "// the caller has the Clock\n"}), [])
        self.assertEqual(len(self.check({"operator/domain/a.h": "void F(const Clock& clock);\n"})), 1)

    def test_a_function_is_refused_where_it_is_called(self):
        table = "src sidecar : code : gmtime( : not safe\n"
        called = "auto a = std::gmtime(&t);\n"
        other = "#include <gmtime>\nauto b = fmt::gmtime(t), c = my_gmtime(t);\nint gmtime;\n"
        for path, text, count in (("src/a.cc", called, 1), ("sidecar/a.cc", called, 1), ("cli/a.cc", called, 0),
                                  ("src/a.cc", other, 0)):
            folder = self.folder({"tools/lint/forbidden.txt": table, path: text})
            self.assertEqual(len(forbidden.check(folder)), count, (path, text))

    def test_other_folders_are_free(self):
        self.assertEqual(self.check({"operator/app/a.cc": "#include <thread>\nTracingPolicy p;\n"}), [])

    def test_a_line_that_says_why_may_name_it(self):
        text = "// Allowed here: no thread runs yet.\nClock a;\nClock b;\n"
        self.assert_one_problem(self.check({"operator/domain/a.cc": text}), "a.cc:3")

    def test_a_broken_row_is_refused(self):
        folder = self.folder({"tools/lint/forbidden.txt": "src : everywhere : Word : why\n"})
        self.assert_one_problem(forbidden.check(folder), "forbidden.txt:1")


class Closure(FolderTest):
    def test_follows_includes_through_headers_and_survives_circles(self):
        folder = self.folder({"src/a.cc": '#include "src/b.h"\n', "src/b.h": '#include "src/c.h"\n#include <vector>\n',
                              "src/c.h": '#include "src/b.h"\n', "src/d.h": ""})
        self.assertEqual(folder.closure("src/a.cc"), ["src/a.cc", "src/b.h", "src/c.h"])

    def test_comments_and_strings_keep_their_lines(self):
        text = 'a /* x\ny */ "// no" // z\nR"(" // )" b\n\'"\' c 1\'000 d'
        self.assertEqual(tree.without_comments(text).count("\n"), text.count("\n"))
        self.assertIn('"// no"', tree.without_comments(text))
        self.assertNotIn("z", tree.without_comments(text))
        self.assertEqual(tree.code_only(text).split(), ["a", "b", "c", "1'000", "d"])
