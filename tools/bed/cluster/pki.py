"""Keys, certificates, tokens and kubeconfigs of a bed, made with openssl in about 0.2 s.

One CA signs everything but the front proxy's certificate: kube-apiserver believes user names in
headers from whoever that other CA signed.
"""

import base64
import secrets
import subprocess

from . import layout as bed

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "3650"]


class _Batch:
    """openssl runs side by side: each takes a few milliseconds, one after the other they add up."""

    def __init__(self, folder):
        self._folder = folder
        self._running = []

    def openssl(self, *arguments):
        command = ["openssl", *arguments]
        process = subprocess.Popen(command, cwd=self._folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._running.append((command, process))

    def authority(self, name, common_name):
        self.openssl("req", "-x509", *CURVE, "-subj", f"/CN={common_name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt",
                     "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def certificate(self, name, subject, usage, alternative_names="", authority="ca"):
        names = ["-addext", f"subjectAltName={alternative_names}"] if alternative_names else []
        self.openssl("req", "-x509", *CURVE, "-subj", subject,
                     "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt",
                     "-addext", "basicConstraints=critical,CA:FALSE",
                     "-addext", "keyUsage=critical,digitalSignature",
                     "-addext", f"extendedKeyUsage={usage}", *names)

    def finish(self):
        for command, process in self._running:
            _, errors = process.communicate()
            if process.returncode != 0:
                raise bed.BedError(f"{' '.join(command)}: {errors.strip()}")
        self._running = []


def make(layout: bed.Layout) -> None:
    layout.pki.mkdir(mode=0o700)
    batch = _Batch(layout.pki)
    batch.authority("ca", "tracekeeper-bed")
    batch.authority("front-proxy-ca", "tracekeeper-bed-front-proxy")
    batch.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                  "-out", "service-account.key")
    batch.finish()

    server_names = ("DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
                    "DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,"
                    f"IP:{bed.API_SERVICE_ADDRESS},IP:{layout.node(1).address}")
    batch.certificate("etcd", "/CN=etcd", "serverAuth,clientAuth", "DNS:localhost,IP:127.0.0.1")
    batch.certificate("apiserver", "/CN=kube-apiserver", "serverAuth", server_names)
    batch.certificate("apiserver-kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth")
    batch.certificate("front-proxy-client", "/CN=front-proxy-client", "clientAuth", authority="front-proxy-ca")
    batch.certificate("admin", "/O=system:masters/CN=admin", "clientAuth")
    for component in ("kube-controller-manager", "kube-scheduler", "kube-proxy"):
        batch.certificate(component, f"/CN=system:{component}", "clientAuth")
    for node in layout.all_nodes():
        batch.certificate(node.name, f"/O=system:nodes/CN=system:node:{node.name}", "clientAuth,serverAuth",
                          f"DNS:{node.name},IP:127.0.0.1,IP:{node.address}")
    batch.openssl("pkey", "-in", "service-account.key", "-pubout", "-out", "service-account.pub")
    batch.finish()
    _write_kubeconfigs(layout)


def _write_kubeconfigs(layout: bed.Layout) -> None:
    for user in ("admin", "kube-controller-manager", "kube-scheduler"):
        write_kubeconfig(layout, user, _certificate_user(layout, user))
    token = secrets.token_hex(16)
    _write_private(layout.pki / "tokens.csv", f"{token},tester,tester-uid\n")
    write_kubeconfig(layout, "tester", f"token: {token}")
    # Nodes are not all in the API server's network namespace, so 127.0.0.1 is not it for them.
    at_node = f"https://{layout.node(1).address}:{layout.ports.api}"
    for node in layout.all_nodes():
        write_kubeconfig(layout, node.name, _certificate_user(layout, node.name), at_node)
    if layout.nodes:
        write_kubeconfig(layout, "kube-proxy", _certificate_user(layout, "kube-proxy"), at_node)


def _certificate_user(layout, name):
    certificate = _encoded(layout.pki / f"{name}.crt")
    key = _encoded(layout.pki / f"{name}.key")
    return f"client-certificate-data: {certificate}\n    client-key-data: {key}"


def _encoded(path):
    return base64.b64encode(path.read_bytes()).decode()


def write_kubeconfig(layout: bed.Layout, user: str, credentials: str, server: str = "") -> None:
    _write_private(layout.kubeconfig(user), f"""\
apiVersion: v1
kind: Config
clusters:
- name: bed
  cluster:
    server: {server or layout.server_url}
    certificate-authority-data: {_encoded(layout.pki / "ca.crt")}
users:
- name: {user}
  user:
    {credentials}
contexts:
- name: bed
  context:
    cluster: bed
    user: {user}
current-context: bed
""")


def _write_private(path, text):
    path.touch(mode=0o600)
    path.write_text(text)
