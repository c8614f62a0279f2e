"""The few questions that a probe asks the container engine, over its HTTP API.

Only the standard library: the Docker SDK takes longer to import than the engine to answer.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import json
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_SYSTEM_SOCKET = "/var/run/docker.sock"


class ApiError(Exception):
    """No answer, or an error as answer; `case` is a word of `host.engine_facts.FAILURES`."""

    def __init__(self, case: str, detail: str) -> None:
        super().__init__(detail)
        self.case = case
        self.detail = detail


def engine_host(environ: Mapping[str, str]) -> str:
    """The engine that the docker command would use: DOCKER_HOST, its context, the usual socket."""
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", "/"), ".docker")
    context = environ.get("DOCKER_CONTEXT") or _json_file(f"{folder}/config.json").get(
        "currentContext"
    )
    if isinstance(context, str) and context not in ("", "default"):
        name = hashlib.sha256(context.encode()).hexdigest()
        endpoints = _json_file(f"{folder}/contexts/meta/{name}/meta.json").get("Endpoints")
        try:
            return str(endpoints["docker"]["Host"])  # type: ignore[index]
        except (KeyError, TypeError):
            return f"context:{context}"
    rootless = f"{environ.get('XDG_RUNTIME_DIR', '')}/docker.sock"
    if not os.path.exists(_SYSTEM_SOCKET) and rootless[0] == "/" and os.path.exists(rootless):
        return f"unix://{rootless}"
    return f"unix://{_SYSTEM_SOCKET}"


def _json_file(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read(1 << 20))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


class Api:
    """One engine; every request has its own connection and gives up after `timeout` seconds."""

    def __init__(self, host: str, environ: Mapping[str, str], timeout: float) -> None:
        self.host = host
        self._url = urlsplit(host)
        self._timeout = timeout
        self._certificates = environ.get("DOCKER_CERT_PATH")
        self._tls = bool(environ.get("DOCKER_TLS_VERIFY")) or self._url.scheme == "https"

    @property
    def is_local(self) -> bool:
        """Whether the engine's processes are processes of this machine (or of its own VM)."""
        return self._url.scheme == "unix"

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        timeout: float | None = None,
        **query: str,
    ) -> Any:
        """The answer: decoded where it is JSON, else bytes.

        :raises ApiError: there was no answer, or it is an error
        """
        target = quote(path) + (f"?{urlencode(query)}" if query else "")
        data, kind = body, "application/x-tar"
        if body is not None and not isinstance(body, bytes):
            data, kind = json.dumps(body).encode(), "application/json"
        connection = self._connection(timeout or self._timeout)
        try:
            connection.request(method, target, data, {"Content-Type": kind})  # type: ignore[arg-type]
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._no_answer(error) from None
        finally:
            connection.close()
        if response.status >= 400:
            raise ApiError(str(response.status), _message(content))
        if "json" not in (response.getheader("Content-Type") or "") or not content:
            return content
        try:
            return json.loads(content)
        except ValueError:
            return content

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._url.scheme == "unix":
            return _UnixConnection(self._url.path, timeout)
        if self._url.scheme not in ("tcp", "http", "https") or not self._url.hostname:
            raise ApiError("address", self.host)
        if not self._tls and not self._certificates:
            return http.client.HTTPConnection(
                self._url.hostname, self._url.port or 2375, timeout=timeout
            )
        return http.client.HTTPSConnection(
            self._url.hostname, self._url.port or 2376, timeout=timeout, context=self._context()
        )

    def _context(self) -> ssl.SSLContext:
        folder = self._certificates or os.path.join(os.path.expanduser("~"), ".docker")
        try:
            context = ssl.create_default_context(cafile=os.path.join(folder, "ca.pem"))
            context.load_cert_chain(
                os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
            )
        except OSError as error:
            raise ApiError("certificates", f"{folder}: {error.strerror or error}") from None
        return context

    def _no_answer(self, error: Exception) -> ApiError:
        if isinstance(error, TimeoutError):
            return ApiError("hanging", f"{self._timeout:g}")
        code = error.errno if isinstance(error, OSError) else None
        case = {
            errno.ENOENT: "absent",
            errno.ENOTDIR: "absent",
            errno.ECONNREFUSED: "refused",
            errno.EACCES: "permission",
            errno.EPERM: "permission",
        }.get(code or 0, "broken")
        return ApiError(case, str(error))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _message(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = json.loads(text)["message"]
    return " ".join(str(text).split())[:2000]
