"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler: their flags and their order."""

from . import layout as bed
from .api_client import ApiClient
from .processes import Supervisor

READY_SECONDS = 120
# The defaults are made for big clusters; with them the first service account takes 5 s, not 1.5 s.
QUICK_CLIENT = ["--leader-elect=false", "--kube-api-qps=200", "--kube-api-burst=400", "--profiling=false"]


class ControlPlane:
    def __init__(self, layout: bed.Layout, supervisor: Supervisor):
        self._layout = layout
        self._supervisor = supervisor
        self.api = ApiClient.of_api_server(layout)

    def start_storage_and_api_server(self) -> None:
        layout = self._layout
        self._supervisor.start("etcd", layout.kube, "etcd", *self._etcd_flags())
        self._supervisor.start("kube-apiserver", layout.kube, "kube-apiserver", *self._api_server_flags())

    def wait_for_api_server(self) -> None:
        self._supervisor.wait_until("kube-apiserver is ready", READY_SECONDS,
                                    lambda: self.api.answers("/readyz"), "kube-apiserver", "etcd")

    def start_controllers(self) -> None:
        layout = self._layout
        for name, flags in (("kube-controller-manager", self._controller_manager_flags()),
                            ("kube-scheduler", self._scheduler_flags())):
            self._supervisor.start(name, layout.kube, name, *flags)

    def wait_for_namespace(self) -> None:
        """`default` is made by kube-apiserver soon after it is ready, its account by the controllers."""
        path, needed = "/api/v1/namespaces/default", ["kube-apiserver"]
        if self._layout.controllers:
            path, needed = path + "/serviceaccounts/default", ["kube-apiserver", "kube-controller-manager"]
        self._supervisor.wait_until(f"{path} is there", READY_SECONDS, lambda: self.api.answers(path), *needed)

    def _etcd_flags(self) -> list[str]:
        layout, pki = self._layout, self._layout.pki
        client = f"https://127.0.0.1:{layout.ports.etcd}"
        peer = f"http://127.0.0.1:{layout.ports.etcd_peer}"
        return [
            "--name=bed", f"--data-dir={layout.folder}/etcd", "--log-level=warn",
            # A killed process loses nothing by this, only a killed machine would.
            "--unsafe-no-fsync",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=bed={peer}", "--socket-reuse-port",
            "--client-cert-auth", f"--trusted-ca-file={pki}/ca.crt",
            f"--cert-file={pki}/etcd.crt", f"--key-file={pki}/etcd.key",
        ]

    def _api_server_flags(self) -> list[str]:
        layout, pki = self._layout, self._layout.pki
        if layout.nodes:
            reach = ["--bind-address=0.0.0.0", f"--advertise-address={layout.node(1).address}"]
        else:
            # A Service may not have a loopback address as its endpoint.
            reach = ["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"]
        return [
            *reach, f"--secure-port={layout.ports.api}", "--permit-port-sharing", "--v=1", "--profiling=false",
            f"--etcd-servers=https://127.0.0.1:{layout.ports.etcd}", f"--etcd-cafile={pki}/ca.crt",
            f"--etcd-certfile={pki}/etcd.crt", f"--etcd-keyfile={pki}/etcd.key",
            f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key",
            f"--client-ca-file={pki}/ca.crt", f"--token-auth-file={pki}/tokens.csv",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki}/service-account.pub",
            f"--service-account-signing-key-file={pki}/service-account.key",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true", f"--service-cluster-ip-range={bed.SERVICE_RANGE}",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
            f"--kubelet-certificate-authority={pki}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={pki}/front-proxy-client.key", "--enable-aggregator-routing=true",
            *layout.api_server_flags,
        ]

    def _controller_manager_flags(self) -> list[str]:
        pki = self._layout.pki
        return [
            *self._as_component("kube-controller-manager", self._layout.ports.controller_manager),
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={pki}/service-account.key", f"--root-ca-file={pki}/ca.crt",
            f"--cluster-signing-cert-file={pki}/ca.crt", f"--cluster-signing-key-file={pki}/ca.key",
        ]

    def _scheduler_flags(self) -> list[str]:
        return self._as_component("kube-scheduler", self._layout.ports.scheduler)

    def _as_component(self, name: str, port: int) -> list[str]:
        kubeconfig = self._layout.kubeconfig(name)
        return [
            "--v=1", "--bind-address=127.0.0.1", f"--secure-port={port}", "--permit-port-sharing", *QUICK_CLIENT,
            f"--kubeconfig={kubeconfig}", f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
        ]
