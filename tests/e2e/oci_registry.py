"""A registry in a thread, as far as the dev container CLI needs one to publish and to apply.

Nothing is checked or kept: https://github.com/opencontainers/distribution-spec is what it answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<what>blobs/uploads|blobs|manifests|tags)/(?P<ref>.*)")
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class _Handler(BaseHTTPRequestHandler):
    """`stored` maps `what/name/reference` to bytes; it is shared by all requests."""

    protocol_version = "HTTP/1.1"
    stored: dict[str, bytes]

    def log_message(self, format: str, *args: object) -> None:
        return

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def parts(self) -> tuple[str, str, str]:
        match = _PATH.fullmatch(urlsplit(self.path).path)
        return (match["what"], match["name"], match["ref"]) if match else ("", "", "")

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def do_GET(self) -> None:
        what, name, reference = self.parts()
        if what == "tags":
            tags = [
                key.split(" ")[2] for key in self.stored if key.startswith(f"manifests {name} ")
            ]
            body = json.dumps({"name": name, "tags": [t for t in tags if ":" not in t]}).encode()
            self.answer(200 if tags else 404, body if tags else b"{}")
            return
        data = self.stored.get(f"{what} {name} {reference}")
        if data is None:
            self.answer(404, b"{}")
            return
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        kind = _MANIFEST if what == "manifests" else "application/octet-stream"
        self.answer(200, data, Content_Type=kind, Docker_Content_Digest=digest)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        _, name, _ = self.parts()
        self.body()
        self.answer(202, Location=f"/v2/{name}/blobs/uploads/one")

    def do_PUT(self) -> None:
        what, name, reference = self.parts()
        data = self.body()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if what == "blobs/uploads":
            what, reference = "blobs", parse_qs(urlsplit(self.path).query)["digest"][0]
        self.stored[f"{what} {name} {reference}"] = data
        self.stored[f"{what} {name} {digest}"] = data
        self.answer(201, Docker_Content_Digest=digest)


@contextlib.contextmanager
def registry(
    stored: dict[str, bytes] | None = None, listener: socket.socket | None = None
) -> Iterator[str]:
    """The address of a new registry, such as `localhost:1234`; it is gone afterwards.

    :param stored: what it has, as `_Handler.stored`
    :param listener: where it is asked, of another network; None for a port of this machine
    """
    handler = type("Handler", (_Handler,), {"stored": stored if stored is not None else {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listener or socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"localhost:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()
