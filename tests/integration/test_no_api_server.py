"""What answers at a cluster's address may be no API server: then nothing is believed, and nothing forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.kubernetes import api, patience, sandboxes
from sandboxd.backends.kubernetes.api import Cluster
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.kubeconfig import load as load_context
from sandboxd.errors import SandboxdError

JSON, HTML = "application/json", "text/html"
GONE = '{"kind": "Status", "code": 404, "reason": "NotFound", "message": "pods \\"x\\" not found"}'


class Place:
    """Gives each request the same answer."""

    def __init__(self) -> None:
        self.answer = (200, JSON, "{}")
        handler = type("Handler", (_Handler,), {"place": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        address = "http://{}:{}".format(*self.server.server_address)
        self.cluster = Cluster(Context("team", "shop", {"server": address}, {}, ""), {})


class _Handler(BaseHTTPRequestHandler):
    place: Place

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        code, kind, text = self.place.answer
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.cluster.close()
    place.server.shutdown()
    place.server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        (404, HTML, "<h1>default backend</h1>"),
        (404, "text/plain", "404 page not found"),
        (404, JSON, "{}"),
        (302, HTML, "moved"),
        (200, HTML, "<h1>Sign in</h1>"),
        (200, JSON, "{}"),
        (200, JSON, "[]"),
        (200, JSON, '{"metadata": []}'),
    ],
)
def test_it_neither_has_an_object_nor_lacks_one(place: Place, answer: tuple[int, str, str]) -> None:
    place.answer = answer
    with pytest.raises(SandboxdError, match="is no Kubernetes API server") as told:
        place.cluster.get(api.POD, "x")
    assert "kubectl --context team -n shop get pods" in told.value.hint


def test_only_a_status_says_that_an_object_is_not_there(place: Place) -> None:
    place.answer = (404, JSON, GONE)
    assert place.cluster.get(api.POD, "x") is None
    assert place.cluster.delete(api.POD, "x") is False
    place.answer = (404, HTML, "<h1>default backend</h1>")
    with pytest.raises(SandboxdError, match="is no Kubernetes API server"):
        place.cluster.delete(api.POD, "x")


def test_a_group_of_the_api_that_is_not_served_is_told_from_another_server(place: Place) -> None:
    place.answer = (404, "text/plain", "404 page not found\n")
    assert sandboxes.are_there(place.cluster) is False
    assert sandboxes.find(place.cluster, "x") is None
    place.answer = (404, HTML, "<h1>default backend</h1>")
    with pytest.raises(SandboxdError, match="is no Kubernetes API server"):
        sandboxes.are_there(place.cluster)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "does not take your credentials"),
        (403, "refuses to read pods"),
        (503, "fails to read pods"),
    ],
)
def test_a_proxy_on_the_way_is_no_other_server(
    place: Place, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    monkeypatch.setattr(patience, "_STRANGER_SECONDS", 0.0)
    place.answer = (code, HTML, "<h1>no</h1>")
    with pytest.raises(SandboxdError, match=words):
        place.cluster.get(api.POD, "x")


KUBECONFIG = """
contexts: [{{name: team, context: {{cluster: it, user: me}}}}]
clusters: [{{name: it, cluster: {cluster}}}]
users: [{{name: me, user: {user}}}]
"""


def connect(folder: Path, cluster: str, user: str = "{}", **environ: str) -> Any:
    file = folder / "config"
    file.write_text(KUBECONFIG.format(cluster=cluster, user=user))
    return Cluster(load_context("team", {"KUBECONFIG": str(file)}), environ)


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ("{server: '127.0.0.1:1'}", "{}", "has the server `127.0.0.1:1`, which does not begin with `https://`"),
        ("{server: 'http://[::1'}", "{}", "is none that can be used"),
        ("{server: 'https://h', proxy-url: 5}", "{}", "is none that can be used"),
        ("{server: 'https://h', proxy-url: 'socks5://h:1'}", "{}", "by a SOCKS proxy, which needs the package `socksio`"),
        ("{server: 'https://h', certificate-authority: ca.pem}", "{}", "ca.pem`, which is not there"),
        ("{server: 'https://h', certificate-authority-data: bm8=}", "{}", "is no certificate in PEM"),
        ("{server: 'https://h'}", "{client-certificate: here.pem}", "the context `team`"),
    ],
)  # fmt: skip
def test_a_kubeconfig_that_cannot_be_used_says_why(
    tmp_path: Path, cluster: str, user: str, words: str
) -> None:
    with pytest.raises(SandboxdError) as told:
        connect(tmp_path, cluster, user)
    assert words in str(told.value)


@pytest.mark.parametrize("contexts", ["3", "true", "text", "[3, {name: x}]"])
def test_a_section_of_another_kind_has_no_entries(tmp_path: Path, contexts: str) -> None:
    file = tmp_path / "config"
    file.write_text(f"contexts: {contexts}\n")
    with pytest.raises(SandboxdError, match="there is no context `team`"):
        load_context("team", {"KUBECONFIG": str(file)})
