"""The few requests that the bed itself makes, as admin, of kube-apiserver and of etcd's gateway."""

import datetime
import http.client
import json
import ssl

from . import layout as bed


class ApiClient:
    def __init__(self, layout: bed.Layout, port: int, certificate: str):
        self._port = port
        self._tls = ssl.create_default_context(cafile=layout.pki / "ca.crt")
        self._tls.load_cert_chain(layout.pki / f"{certificate}.crt", layout.pki / f"{certificate}.key")

    @staticmethod
    def of_api_server(layout: bed.Layout) -> "ApiClient":
        return ApiClient(layout, layout.ports.api, "admin")

    @staticmethod
    def of_etcd(layout: bed.Layout) -> "ApiClient":
        return ApiClient(layout, layout.ports.etcd, "etcd")

    def request(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Status and text; status 0 and the reason when there is no answer."""
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=10, context=self._tls)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()

    def answers(self, path: str) -> bool:
        return self.request("GET", path)[0] == 200

    def call(self, method: str, path: str, body: object = None) -> dict:
        """The decoded answer; anything but success is a BedError."""
        status, text = self.request(method, path, body)
        if status // 100 != 2:
            raise bed.BedError(f"{method} {path}: {status} {text.strip()[:500]}")
        return json.loads(text)

    def node_is_ready(self, name: str, since: str) -> bool:
        """Whether the node is Ready and its kubelet was alive after `since`, a time in UTC or empty:
        a node that lost power stays Ready for a while. A new node's lease comes 10 s after it."""
        status, text = self.request("GET", f"/api/v1/nodes/{name}")
        if status != 200:
            return False
        conditions = json.loads(text).get("status", {}).get("conditions", [])
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        if not ready or not since:
            return ready
        status, text = self.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}")
        return status == 200 and json.loads(text)["spec"]["renewTime"] > since


def now() -> str:
    """As the API server writes it, so that strings compare as times do."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
