"""One real node: containerd, kubelet and kube-proxy, from inside namespaces of their own."""

import json
import pathlib

from . import cgroups
from . import layout as bed
from .processes import Supervisor, run

# The kubelet sets these for the whole machine unless they are so already. It is shown files that
# say they are; the machine keeps its own values.
KUBELET_SYSCTLS = {
    "vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000, "kernel/keys/root_maxbytes": 25000000,
}
# Folders that containerd's shims, the kubelet and CNI use wherever they are told to live.
FIXED_FOLDERS = ["/var/lib/kubelet", "/var/lib/cni", "/var/log/containers"]
BRIDGE = "cni0"
UPLINK = "uplink"


class Node:
    def __init__(self, layout: bed.Layout, number: int, supervisor: Supervisor):
        self._layout = layout
        self._node = layout.node(number)
        self._supervisor = supervisor

    def prepare(self) -> None:
        """Network, mounts and cgroups of namespaces that are ours alone."""
        self._node.folder.mkdir(exist_ok=True)
        run("hostname", self._node.name)
        self._prepare_network()
        self._prepare_mounts()
        cgroups.make(self._layout.cgroup, self._node.name)
        self._write_configuration()

    def start_containerd(self) -> None:
        self._supervisor.start("containerd", "containerd", "--config", self._node.folder / "containerd.toml",
                               "--log-level", "info")

    def load_images(self) -> None:
        self._supervisor.wait_until("containerd answers", 30, self._containerd_answers, "containerd")
        for image in self._layout.images:
            load_image(self._node, image)

    def start_agents(self) -> None:
        kube, node = self._layout.kube, self._node
        self._supervisor.start("kubelet", kube, "kubelet", "--v=2", f"--config={node.folder}/kubelet.json",
                               f"--kubeconfig={self._layout.kubeconfig(node.name)}",
                               f"--root-dir={node.folder}/kubelet", f"--cert-dir={node.folder}/kubelet/pki",
                               f"--hostname-override={node.name}", f"--node-ip={node.address}")
        self._supervisor.start("kube-proxy", kube, "kube-proxy", "--v=2", f"--config={node.folder}/kube-proxy.json")

    def _prepare_network(self) -> None:
        # The node's own address lives on the bridge of its pods.
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "address", "add", f"{self._node.address}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        if self._node.number == 1:
            # It leads nowhere, but kubelet and kube-apiserver look for one.
            run("ip", "route", "add", "default", "via", self._node.address)
        # The first two are for traffic of pods; the last sends a pod's traffic to a Service on the
        # same bridge through the rules of kube-proxy, where the kernel has that module.
        for name in ("net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/bridge/bridge-nf-call-iptables"):
            setting = pathlib.Path("/proc/sys", name)
            if setting.exists():
                setting.write_text("1")

    def _prepare_mounts(self) -> None:
        run("mount", "--make-rshared", "/")
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        for folder in FIXED_FOLDERS:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            run("mount", "-t", "tmpfs", "tmpfs", folder)
        shown = self._node.folder / "sysctl"
        shown.mkdir(exist_ok=True)
        for name, value in KUBELET_SYSCTLS.items():
            file = shown / name.replace("/", ".")
            file.write_text(f"{value}\n")
            run("mount", "--bind", file, f"/proc/sys/{name}")

    def _containerd_answers(self) -> bool:
        try:
            run("ctr", "--address", self._node.containerd_socket, "version")
            return True
        except bed.BedError:
            return False

    def _write_configuration(self) -> None:
        folder = self._node.folder
        (folder / "resolv.conf").write_text("")
        (folder / "cni").mkdir(exist_ok=True)
        (folder / "containerd.toml").write_text(containerd_configuration(self._node))
        for name, document in (("cni/10-bed.conflist", network_configuration(self._node)),
                               ("kubelet.json", kubelet_configuration(self._layout, self._node)),
                               ("kube-proxy.json", kube_proxy_configuration(self._layout, self._node))):
            (folder / name).write_text(json.dumps(document, indent=2))


def load_image(node: bed.NodeLayout, archive: pathlib.Path) -> None:
    run("ctr", "--address", node.containerd_socket, "--namespace", "k8s.io", "images", "import", archive)


def containerd_configuration(node: bed.NodeLayout) -> str:
    # restrict_oom_score_adj: in a container root may not lower it. bin_dir: Debian's place.
    return f"""\
version = 2
root = "{node.folder}/containerd/root"
state = "{node.folder}/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
                    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{node.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "bed.local/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{node.folder}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
"""


def network_configuration(node: bed.NodeLayout) -> dict:
    addresses = {"type": "host-local", "dataDir": f"{node.folder}/cni/net",
                 "ranges": [[{"subnet": node.pod_range}]], "routes": [{"dst": "0.0.0.0/0"}]}
    return {"cniVersion": "1.0.0", "name": "bed", "plugins": [
        {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipMasq": False, "hairpinMode": True,
         "ipam": addresses},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]}


def kubelet_configuration(layout: bed.Layout, node: bed.NodeLayout) -> dict:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
        "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{layout.cgroup}/{node.name}", "failCgroupV1": False,
        "failSwapOn": False, "oomScoreAdj": 0,
        "address": node.address, "port": 10250, "readOnlyPort": 0, "healthzBindAddress": "127.0.0.1",
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": f"{layout.pki}/ca.crt"}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{layout.pki}/{node.name}.crt", "tlsPrivateKeyFile": f"{layout.pki}/{node.name}.key",
        "clusterDomain": "cluster.local", "resolvConf": f"{node.folder}/resolv.conf",
        "podLogsDir": f"{node.folder}/pod-logs", "volumePluginDir": f"{node.folder}/kubelet/volume-plugins",
        # A ConfigMap reaches its pod within seconds; the default of a minute makes slow tests.
        "syncFrequency": "5s", "nodeStatusUpdateFrequency": "5s", "runtimeRequestTimeout": "1m0s",
        # The disk is the machine's: being full of other things is no reason to evict.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
                         "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
    }


def kube_proxy_configuration(layout: bed.Layout, node: bed.NodeLayout) -> dict:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "nftables", "clusterCIDR": bed.POD_RANGE, "hostnameOverride": node.name,
        "bindAddress": "0.0.0.0", "healthzBindAddress": "127.0.0.1:10256", "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": str(layout.kubeconfig("kube-proxy"))},
        # Zero leaves the machine's connection tracking limits alone.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
