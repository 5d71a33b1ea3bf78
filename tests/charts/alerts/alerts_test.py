"""The chart's alerts, as promtool runs them: rotation.yaml says what fires on which metrics."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RULES = ROOT / "charts/tracekeeper/files/rotation.rules.yaml"

CREDENTIAL = {"policy_namespace": "shop", "policy": "payments", "credential": "db"}
CONNECTION = {"connection_namespace": "shop", "connection": "vault"}
# Short name -> metric, the labels that it always has, and the one that a word after the name sets.
SERIES = {
    "age": ("tracekeeper_rotation_age_seconds", CREDENTIAL, None),
    "next": ("tracekeeper_rotation_next_timestamp_seconds", CREDENTIAL, None),
    "every": ("tracekeeper_rotation_period_seconds", CREDENTIAL, None),
    "activate_after": ("tracekeeper_rotation_activate_after_seconds", CREDENTIAL, None),
    "overlap": ("tracekeeper_rotation_overlap_seconds", CREDENTIAL, None),
    "linger": ("tracekeeper_rotation_linger_seconds", CREDENTIAL, None),
    "phase": ("tracekeeper_rotation_phase", CREDENTIAL, "phase"),
    "began": ("tracekeeper_rotation_phase_timestamp_seconds", CREDENTIAL, None),
    "failing": ("tracekeeper_rotation_failing", CREDENTIAL, "reason"),
    "stale": ("tracekeeper_rotation_stale_consumers", CREDENTIAL, None),
    "circuit": ("tracekeeper_vault_circuit_state", CONNECTION, None),
    "skew": ("tracekeeper_vault_clock_skew_seconds", CONNECTION, None),
    "rights": ("tracekeeper_operator_missing_rights", {}, None),
}
ALERTS = {
    "Late": "TracekeeperCredentialLate", "Stuck": "TracekeeperCredentialStuck",
    "Failing": "TracekeeperCredentialFailing", "Stale": "TracekeeperConsumersStale",
    "VaultUnusable": "TracekeeperVaultUnusable", "ClockSkewed": "TracekeeperVaultClockSkewed",
    "Unseen": "TracekeeperRotationUnseen",
}
FIRING = 'group by (alertname) (ALERTS{alertstate="firing"})'


def promtool():
    answer = subprocess.run([ROOT / "tools/setup.sh", "path", "prometheus"], capture_output=True, text=True, check=True)
    path = pathlib.Path(answer.stdout.strip()) / "promtool"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there yet: run `make setup` (or tools/setup.sh prometheus), once")
    return path


def series(name, samples):
    short, *words = name.split()
    metric, labels, word_label = SERIES[short]
    labels = {"instance": "a", "pod": "a", **labels}
    for word in words:
        label, _, value = word.rpartition("=")
        labels[label or word_label] = value
    text = ",".join(f"{label}={json.dumps(value)}" for label, value in labels.items())
    return {"series": f"{metric}{{{text}}}", "values": samples}


def input_series(row):
    wanted = dict(row["series"])
    credential = any(SERIES[name.split()[0]][1] is CREDENTIAL for name in wanted)
    defaults = {"every": "259200x900", "activate_after": "0+0x900", "overlap": "3600x900", "linger": "0+0x900"}
    for name, samples in defaults.items() if credential else ():
        if name not in (each.split()[0] for each in wanted):
            wanted[name] = samples
    return [series(name, samples) for name, samples in wanted.items()]


def test_of(row):
    """A row as promtool's own test."""
    checks = [{"expr": FIRING, "eval_time": when,
               "exp_samples": [{"labels": f'{{alertname="{ALERTS[alert]}"}}', "value": 1} for alert in alerts]}
              for when, alerts in row["fires"].items()]
    return {"name": row["name"], "interval": "1m", "input_series": input_series(row), "promql_expr_test": checks}


def run_tests(tests):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "tests.yaml"
        file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
        return subprocess.run([promtool(), "test", "rules", file], capture_output=True, text=True)


def rows():
    return yaml.safe_load((HERE / "rotation.yaml").read_text())


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


class Alerts(unittest.TestCase):
    def test_pass_promtools_check(self):
        done = subprocess.run([promtool(), "check", "rules", "--lint-fatal", RULES], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_fire_as_the_table_says(self):
        done = run_tests([test_of(row) for row in rows()])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_wrong_row_is_found(self):
        row = next(row for row in rows() if row["fires"].get("2h") == ["Late"])
        done = run_tests([test_of({**row, "fires": {"1h59m": ["Late"]}})])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("TracekeeperCredentialLate", done.stdout + done.stderr)

    def test_each_has_rows_and_a_section_of_the_reference(self):
        names = {rule["alert"] for rule in rules()}
        self.assertEqual(names, set(ALERTS.values()))
        fired = {ALERTS[alert] for row in rows() for alerts in row["fires"].values() for alert in alerts}
        self.assertEqual(names, fired)
        reference = (ROOT / "docs/reference/alerts.md").read_text()
        self.assertEqual(names, set(re.findall(r"^## (\w+)$", reference, re.MULTILINE)))

    def test_their_metrics_are_the_operators_and_documented(self):
        sources = [*(ROOT / "operator/controllers").glob("*.cc"), *(ROOT / "src/vault").glob("*.cc")]
        code = "".join(source.read_text() for source in sources)
        reference = (ROOT / "docs/reference/rotation-metrics.md").read_text()
        for metric in {metric for rule in rules() for metric in re.findall(r"tracekeeper_\w+", rule["expr"])}:
            self.assertIn(f'"{metric}"', code)
            self.assertIn(f"`{metric}`", reference)


class Annotations(unittest.TestCase):
    """Whoever is woken reads which credential it is, since when, and what fails."""

    def check(self, samples, when, alert, labels, words):
        test = {"interval": "1m", "input_series": input_series({"series": samples}), "alert_rule_test": [
            {"eval_time": when, "alertname": ALERTS[alert], "exp_alerts": []}]}
        # None is expected, so promtool shows what there is.
        said = run_tests([test])
        text = said.stdout + said.stderr
        self.assertNotEqual(said.returncode, 0, text)
        for label, value in labels.items():
            self.assertIn(f'{label}="{value}"', text)
        for part in words:
            self.assertIn(part, text)
        self.assertNotIn("instance=", text)
        self.assertNotIn("error expanding template", text)

    def test_name_the_credential_and_the_reason(self):
        of_it = "credential db of policy payments in namespace shop"
        late = {"age": "252000+60x200", "next": "3600x200", "failing sealed": "1x200"}
        stuck = {"phase Drain": "1x200", "began": "0+0x200"}
        for samples, when, alert, labels, words in (
                (late, "2h", "Late", {"severity": "critical", **CREDENTIAL}, ["came into use 3d 0h 0m 0s ago", "What fails: sealed."]),
                (stuck, "2h1m", "Stuck", {"severity": "warning", "phase": "Drain", **CREDENTIAL}, [of_it, "is in phase Drain for 2h 1m 0s", "nothing that was told."]),
                ({"failing sealed": "1x60"}, "15m", "Failing", {"severity": "warning", **CREDENTIAL}, [of_it, "with the reason sealed."]),
                ({"stale": "2x60"}, "30m", "Stale", {"severity": "warning", **CREDENTIAL}, [of_it, "2 consumers"]),
                ({"circuit": "2x60"}, "5m", "VaultUnusable", {"severity": "critical", **CONNECTION}, ["VaultConnection vault in namespace shop"]),
                ({"skew": "-90x60"}, "5m", "ClockSkewed", {"severity": "warning", **CONNECTION}, ["-1m 30s ahead"]),
                ({"every": "259200x60"}, "1h30m", "Unseen", {"severity": "critical"}, ["after 1 credentials"])):
            with self.subTest(alert):
                self.check(samples, when, alert, labels, words)


if __name__ == "__main__":
    unittest.main()
