"""What the charts render: values and their objects, values that are refused, and what must hold for
every rendering (purity, both Helms, sizes, Kubernetes' own schemas)."""

import copy
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

import charts
import kubernetes_schemas

# Values under which every template renders something.
EVERYTHING = {
    "podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "liveConfiguration": {"nudge": True}, "imagePullSecrets": [{"name": "a"}],
    "rollout": {"template": True},
    "analyzer": {"embedded": {"service": {"clusterIP": "10.96.0.30", "annotations": {"a": "b"}}}},
    "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}], "spansFrom": [{"namespaceSelector": {}}], "egress": [{"ports": [{"port": 443}]}]},
    "commonLabels": {"team": "platform"}, "commonAnnotations": {"owner": "platform"},
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}],
}
# What client-side apply keeps of an object must fit into its annotations; Argo CD does so too.
MOST_APPLIED_BYTES = 262144
# Below it there is room for the other annotations, and for the CRDs to grow.
WANTED_BYTES = 200 * 1024


class AcceptedValues(unittest.TestCase):
    def test_each_row(self):
        for version in charts.HELMS:
            for row in charts.rows("accepted.yaml"):
                with self.subTest(row["name"], helm=version):
                    self.check(row, charts.render(values=row["values"], version=version))

    def check(self, row, objects):
        for name in row.get("absent", []):
            self.assertNotIn(name, objects)
        for name, wanted in row.get("want", {}).items():
            self.assertIn(name, objects)
            for pointer, value in wanted.items():
                found = charts.at(objects[name], pointer)
                self.check_value(found, value, f"{name} {pointer}")

    def check_value(self, found, value, where):
        if not isinstance(value, dict) or not set(value) & {"has", "lacks"}:
            self.assertEqual(found, value, where)
            return
        for element in value.get("has", []):
            self.assertIn(element, found, where)
        for element in value.get("lacks", []):
            self.assertNotIn(element, found, where)


class RefusedValues(unittest.TestCase):
    def test_each_row(self):
        for version in charts.HELMS:
            for row in charts.rows("refused.yaml"):
                with self.subTest(row["name"], helm=version), self.assertRaises(charts.Refused) as refused:
                    charts.render_text(values=row["values"], version=version)
                for words in row["says"]:
                    self.assertIn(words, str(refused.exception).replace("\\\"", "\""))
                by_schema = "specifications of the schema" in str(refused.exception)
                self.assertEqual(by_schema, row.get("schema", False), str(refused.exception))


class Alerts(unittest.TestCase):
    def test_are_those_of_the_file_that_promtool_reads(self):
        file = yaml.safe_load((charts.OPERATOR / "files/rotation.rules.yaml").read_text())
        for version in charts.HELMS:
            objects = charts.render(values={"prometheusRule": {"enabled": True}}, version=version)
            self.assertEqual(objects["PrometheusRule/tracekeeper-operator"]["spec"], file)


class Umbrella(unittest.TestCase):
    """The usual packaging under Argo CD: the chart below another one."""

    def test_the_chart_lives_in_an_umbrella_chart(self):
        with tempfile.TemporaryDirectory() as folder:
            umbrella = pathlib.Path(folder)
            shutil.copytree(charts.OPERATOR, umbrella / "charts/tracekeeper")
            (umbrella / "Chart.yaml").write_text(yaml.safe_dump({
                "apiVersion": "v2", "name": "platform", "version": "1.0.0",
                "dependencies": [{"name": "tracekeeper", "version": "0.1.0", "condition": "tracekeeper.enabled"}]}))
            values = {"global": {"imageRegistry": "mirror.example.com", "other": {"chart": "reads this"}},
                      "tracekeeper": {"enabled": True, "replicaCount": 3}}
            for version in charts.HELMS:
                objects = charts.render(umbrella, values, version, release="platform")
                deployment = objects["Deployment/platform-tracekeeper-operator"]
                self.assertEqual(deployment["spec"]["replicas"], 3)
                self.assertEqual(charts.at(deployment, "/spec/template/spec/containers/0/image"),
                                 "mirror.example.com/tracekeeper-operator:0.1.0")
                off = copy.deepcopy(values)
                off["tracekeeper"]["enabled"] = False
                self.assertEqual(charts.render(umbrella, off, version, release="platform"), {})


class EveryRendering(unittest.TestCase):
    def renderings(self):
        yield "defaults", charts.OPERATOR, {}
        yield "everything", charts.OPERATOR, EVERYTHING
        yield "CRDs", charts.CRDS, {}

    def test_is_the_same_under_helm_3_and_helm_4(self):
        for name, chart, values in self.renderings():
            with self.subTest(name):
                self.assertEqual(charts.render(chart, values, "helm3"), charts.render(chart, values, "helm4"))

    def test_is_a_pure_function_of_the_values(self):
        for name, chart, values in self.renderings():
            with self.subTest(name):
                first = charts.render_text(chart, values)
                self.assertEqual(first, charts.render_text(chart, values))
                # What Argo CD tells Helm about its cluster, and what an upgrade tells it, changes nothing.
                flags = ["--kube-version", "1.31.0", "--api-versions", "monitoring.coreos.com/v1", "--is-upgrade"]
                self.assertEqual(first, charts.render_text(chart, values, flags=flags))

    def test_templates_use_nothing_that_differs_between_renderings(self):
        banned = re.compile(r"\b(lookup|gen(CA|SelfSignedCert|SignedCert|PrivateKey)\w*|rand\w+|now|uuidv4|date\w*|"
                            r"htpasswd|bcrypt|getHostByName|env|expandenv)\b|\.Capabilities\b|\.Release\.Is\w+|"
                            r"\.Release\.Revision")
        for chart in (charts.OPERATOR, charts.CRDS):
            for template in (chart / "templates").rglob("*"):
                if template.is_dir():
                    continue
                for action in re.findall(r"{{.*?}}", template.read_text(), re.DOTALL):
                    code = re.sub(r'"(\\.|[^"\\])*"|/\*.*?\*/', "", action, flags=re.DOTALL)
                    self.assertIsNone(banned.search(code), f"{template}: {action}")

    def test_passes_helms_own_lint(self):
        for chart in (charts.OPERATOR, charts.CRDS):
            for version in charts.HELMS:
                with self.subTest(chart.name, helm=version):
                    done = charts.helm(version, "lint", "--strict", chart)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_fits_into_the_annotation_of_client_side_apply(self):
        for name, chart, values in self.renderings():
            for document, content in charts.render(chart, values).items():
                with self.subTest(document, of=name):
                    self.assertLess(charts.applied_size(content), WANTED_BYTES)
        self.assertLess(WANTED_BYTES, MOST_APPLIED_BYTES)

    def test_holds_no_hook_no_webhook_and_no_secret(self):
        for name, chart, values in self.renderings():
            for document, content in charts.render(chart, values).items():
                with self.subTest(document, of=name):
                    annotations = content["metadata"].get("annotations", {})
                    self.assertFalse([key for key in annotations if key in ("helm.sh/hook", "argocd.argoproj.io/hook")])
                    self.assertNotIn(content["kind"], ("Secret", "MutatingWebhookConfiguration", "Lease"))

    def test_orders_its_objects_for_argo_cd(self):
        waves = {"CustomResourceDefinition": "-10", "ClusterRole": "-5", "Role": "-5", "ClusterRoleBinding": "-5",
                 "RoleBinding": "-5", "ServiceAccount": "-5", "NetworkPolicy": "-5", "Deployment": "0", "Service": "0",
                 "PodDisruptionBudget": "0", "PodMonitor": "5", "PrometheusRule": "5"}
        for document, content in charts.render(values=EVERYTHING).items():
            if document == "ConfigMap/one":
                continue
            with self.subTest(document):
                self.assertEqual(content["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"],
                                 waves[content["kind"]])

    def test_selectors_find_the_operators_pods_and_nothing_else(self):
        objects = charts.render(values=EVERYTHING)
        labels = objects["Deployment/tracekeeper-operator"]["spec"]["template"]["metadata"]["labels"]
        selectors = {"Deployment/tracekeeper-operator": "/spec/selector/matchLabels",
                     "Service/tracekeeper-webhook": "/spec/selector",
                     "Service/tracekeeper-operator-metrics": "/spec/selector",
                     "PodDisruptionBudget/tracekeeper-operator": "/spec/selector/matchLabels",
                     "NetworkPolicy/tracekeeper-operator": "/spec/podSelector/matchLabels",
                     "PodMonitor/tracekeeper-operator": "/spec/selector/matchLabels"}
        for document, pointer in selectors.items():
            selector = charts.at(objects[document], pointer)
            self.assertEqual(selector["app.kubernetes.io/component"], "operator", document)
            self.assertEqual(selector, {key: labels[key] for key in selector}, document)


class KubernetesSchemas(unittest.TestCase):
    """Every field is one that the oldest and the newest supported Kubernetes know."""

    def test_objects_are_valid_in_each_release(self):
        for release in ("oldest", "newest"):
            with self.subTest(release), tempfile.TemporaryDirectory() as folder:
                kubernetes_schemas.write_schemas(charts.tool(f"kubernetes-{release}.json"), folder)
                text = charts.render_text(values=EVERYTHING)
                done = self.kubeconform(folder, text)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("Invalid: 0, Errors: 0, Skipped: 2", done.stdout)  # those of the Prometheus operator

    def test_an_unknown_field_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            kubernetes_schemas.write_schemas(charts.tool("kubernetes-oldest.json"), folder)
            text = charts.render_text().replace("terminationGracePeriodSeconds:", "terminationGraceSeconds:")
            done = self.kubeconform(folder, text)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("terminationGraceSeconds", done.stdout)

    def kubeconform(self, folder, text):
        return subprocess.run([charts.tool("kubeconform"), "-strict", "-summary", "-skip", "PodMonitor,PrometheusRule",
                               "-schema-location", folder + "/{{ .ResourceKind }}{{ .KindSuffix }}.json", "-"],
                              input=text, capture_output=True, text=True)


class Schema(unittest.TestCase):
    def test_knows_every_value_that_has_a_default_and_no_other(self):
        for chart in (charts.OPERATOR, charts.CRDS):
            schema = json.loads((chart / "values.schema.json").read_text())
            defaults = yaml.safe_load((chart / "values.yaml").read_text())
            self.assertEqual(known_keys(schema) - {"/enabled"}, default_keys(schema, defaults), chart.name)

    def test_refuses_what_it_does_not_know_at_every_level(self):
        for chart in (charts.OPERATOR, charts.CRDS):
            schema = json.loads((chart / "values.schema.json").read_text())
            for path, part in objects_with_properties(schema):
                if path != "/global":
                    self.assertIs(part.get("additionalProperties"), False, f"{chart.name} {path}")


def objects_with_properties(schema, path=""):
    if "properties" in schema:
        yield path, schema
        for name, part in schema["properties"].items():
            yield from objects_with_properties(part, f"{path}/{name}")


def known_keys(schema):
    return {f"{path}/{name}" for path, part in objects_with_properties(schema) if not is_open(path)
            for name in part["properties"]}


def default_keys(schema, defaults):
    return {f"{path}/{name}" for path, _ in objects_with_properties(schema) if not is_open(path)
            for name in charts.at(defaults, path)}


def is_open(path):
    """Maps that go into objects as they are: their keys are Kubernetes' own."""
    return path in ("/global", "/resources")


if __name__ == "__main__":
    unittest.main()
