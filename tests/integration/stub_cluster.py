"""An API server of Kubernetes that says which kinds of objects there are, and makes none."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_KINDS = {
    "v1": {"pods": "Pod", "services": "Service", "configmaps": "ConfigMap"},
    "apps/v1": {"deployments": "Deployment"},
    "networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy"},
    "agents.x-k8s.io/v1beta1": {"sandboxes": "Sandbox"},
}


class StubCluster:
    """Listens on loopback until `close`."""

    def __init__(self) -> None:
        self.made: list[str] = []
        """Requests that would have changed something."""
        self.asked: list[str] = []
        """All requests."""
        handler = _handler(self.made, self.asked)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def kubeconfig(self) -> dict[str, Any]:
        """The content of a config file that leads here."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "stub",
            "clusters": [
                {
                    "name": "stub",
                    "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"},
                }
            ],
            "contexts": [{"name": "stub", "context": {"cluster": "stub", "user": "nobody"}}],
            "users": [{"name": "nobody", "user": {}}],
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _answer(path: str) -> dict[str, Any] | None:
    """What discovery says; None for a path that is not there."""
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [name.partition("/")[::2] for name in _KINDS if "/" in name]
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [
                {
                    "name": group,
                    "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                    "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
                }
                for group, version in groups
            ],
        }
    name = path.removeprefix("/apis/").removeprefix("/api/")
    if name not in _KINDS:
        return None
    resources = [
        {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": ["create", "get"]}
        for plural, kind in _KINDS[name].items()
    ]  # fmt: skip
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": name,
        "resources": resources,
    }


def _handler(made: list[str], asked: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer = _answer(self.path.partition("?")[0])
            body = json.dumps(
                answer or {"kind": "Status", "code": 404, "reason": "NotFound"}
            ).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            asked.append(self.path)
            made.append(self.path)
            self.send_error(405)

        do_PUT = do_PATCH = do_DELETE = do_POST

        def log_message(self, *_: object) -> None:
            pass

    return Handler
