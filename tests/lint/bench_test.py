"""The benchmark runner: which program belongs to which bench, how rows are merged and shown."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/bench"))

import run
import table

ROW = {"bench": "webhook", "case": "keep_alive", "metric": "throughput", "value": 12345.6, "unit": "1/s", "n": 3,
       "min": 12000, "max": 13000, "goal": ">= 10000", "met": True}


class Programs(unittest.TestCase):
    def test_a_program_belongs_to_the_bench_that_its_name_begins_with(self):
        self.assertEqual(run.bench_of("admission_bench"), "admission")
        self.assertEqual(run.bench_of("watch_cache_informer_bench"), "watch_cache")
        self.assertIsNone(run.bench_of("other_bench"))


class Merge(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(setattr, run, "OUTPUT", run.OUTPUT)
        run.OUTPUT = pathlib.Path(temporary.name)

    def write(self, name, *rows):
        (run.OUTPUT / name).write_text(json.dumps(rows))

    def test_a_bench_that_ran_replaces_its_rows_and_leaves_the_others(self):
        old = [{**ROW, "value": 1}, {**ROW, "bench": "runtime"}]
        (run.OUTPUT / "results.json").write_text(json.dumps({"machine": {}, "results": old}))
        self.write("webhook_bench.rows.json", {**ROW, "value": 2})
        self.write("runtime_bench.rows.json", {**ROW, "bench": "runtime", "value": 3})
        results = run.merge(["webhook"])
        self.assertEqual([(r["bench"], r["value"]) for r in results["results"]], [("runtime", 12345.6), ("webhook", 2)])
        self.assertIn("cpu", results["machine"])
        self.assertEqual(json.loads((run.OUTPUT / "results.json").read_text()), results)

    def test_rows_of_the_build_bench_are_found_too(self):
        self.write("build.rows.json", {**ROW, "bench": "build"})
        self.assertEqual(len(run.merge(["build"])["results"]), 1)


class Table(unittest.TestCase):
    def test_shows_spread_peer_goal_and_a_missed_goal(self):
        missed = {**ROW, "met": False, "peer": "go", "peer_value": 5.0, "ratio": 2.5}
        text = table.render([ROW, missed])
        for part in ("12,346 1/s", "12,000 .. 13,000", ">= 10000", "MISSED", "go 5 (x2.5)", "1 of 2 goals met"):
            self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main()
