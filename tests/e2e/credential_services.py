"""Services for the tests of credentials: a forge, two registries, a model. Each takes the true secret and nothing else."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from sandboxd.credentials import service
from tests import certificates
from tests.e2e import https_server
from tests.e2e.lfs_store import LfsStore
from tests.e2e.tiny_packages import integrity, make_repository, tarball, wheel

SECRET = "marked-secret-b7e2c61f"
FORMS = (
    SECRET,
    *(base64.b64encode(f"{user}:{SECRET}".encode()).decode() for user in ("x-access-token", "__token__")),
)  # fmt: skip
"""All forms in which it could be found."""

FORGE = service.load("github").endpoint("git").host
NPM = service.load("npm").endpoint("registry").host
INDEX = service.load("pypi").endpoint("index").host
MODEL = service.load("anthropic").endpoint("api").host
HOSTS = (FORGE, NPM, INDEX, MODEL)

_EXPECTED = {
    FORGE: ("Authorization", f"Basic {FORMS[1]}"),
    NPM: ("Authorization", f"Bearer {SECRET}"),
    INDEX: ("Authorization", f"Basic {FORMS[2]}"),
    MODEL: ("x-api-key", SECRET),
}


class Asked(NamedTuple):
    """A request that arrived."""

    host: str
    method: str
    path: str
    is_true: bool
    """Whether it had the true secret."""
    text: str
    """Its whole head."""


class Services:
    """All of them, at one address, by TLS; `asked` has what came."""

    def __init__(self, pid: int, folder: Path) -> None:
        """:param pid: a process of the network namespace to listen in"""
        self.folder = folder
        self.asked: list[Asked] = []
        self.answers_401 = False
        """Whether the secret is revoked."""
        certificate(folder)
        self.lfs = LfsStore(FORGE)
        make_repository(folder / "git/work", folder / "git/team/repo.git")
        of = self

        class Handler(_Handler):
            services = of

        self._server = https_server.serve(pid, Handler, self.authority, folder / "key.pem")

    @property
    def authority(self) -> Path:
        """The certificate that vouches for all of them."""
        return self.folder / "ca.pem"

    def paths(self, host: str) -> set[str]:
        """The paths below which the true secret came."""
        return {asked.path for asked in self.asked if asked.host == host and asked.is_true}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def certificate(folder: Path) -> None:
    """One for all hosts that vouches for itself: `ca.pem`, `key.pem`."""
    certificates.self_signed(folder, "services", *HOSTS, key="key.pem", certificate="ca.pem")


class _Handler(http.server.BaseHTTPRequestHandler):
    services: Services
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0]
        header, value = _EXPECTED.get(host, ("Authorization", ""))
        is_true = self.headers.get(header) == value
        text = f"{self.requestline}\n{self.headers}"
        self.services.asked.append(Asked(host, self.command, self.path, is_true, text))
        body = self._body()
        if not is_true or self.services.answers_401:
            self._say(401, b'{"message": "Bad credentials"}', "application/json")
        elif host == FORGE:
            self._git(body)
        elif host == NPM:
            self._npm(body)
        elif host == INDEX:
            self._index()
        else:
            self._say(200, b'{"data": []}', "application/json")

    do_GET = do_HEAD = do_POST = do_PUT = _serve

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _say(self, status: int, body: bytes, kind: str = "text/html") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _git(self, body: bytes) -> None:
        large = self.services.lfs.answer(self.command, self.path, self.headers, body)
        if large is not None:
            self._say(*large)
            return
        path, _, query = self.path.partition("?")
        variables = {
            "GIT_PROJECT_ROOT": str(self.services.folder / "git"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            "REMOTE_USER": "team",
        }
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            check=False,
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        status = int(fields.pop("Status", "200").split()[0])
        self._say(status, answer, fields.get("Content-Type", "text/plain"))

    def _npm(self, body: bytes) -> None:
        if self.path == "/-/whoami":
            return self._say(200, b'{"username": "someone"}', "application/json")
        if self.command == "PUT":
            assert "published" in json.loads(body)["name"]
            return self._say(201, b'{"ok": true}', "application/json")
        if self.path.endswith(".tgz"):
            return self._say(200, tarball(), "application/octet-stream")
        if self.path.startswith("/tiny"):
            return self._say(200, json.dumps(packument()).encode(), "application/json")
        return self._say(404, b"{}", "application/json")

    def _index(self) -> None:
        name = "tiny-1.0-py3-none-any.whl"
        if self.path == f"/simple/tiny/{name}":
            return self._say(200, wheel(), "application/octet-stream")
        return self._say(200, f'<a href="{name}">{name}</a>'.encode())


def packument() -> dict[str, object]:
    """What the registry says of `tiny`, with addresses of its own as the real one has them."""
    dist = {
        "tarball": f"https://{NPM}/tiny/-/tiny-1.0.0.tgz",
        "integrity": integrity(),
        "shasum": hashlib.sha1(tarball()).hexdigest(),
    }
    version = {"name": "tiny", "version": "1.0.0", "dist": dist}
    return {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
