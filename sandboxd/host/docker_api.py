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
from typing import Any, NamedTuple
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
    context = current_context(environ)
    if context is not None:
        return _endpoint(environ, context).get("Host") or f"context:{context}"
    rootless = f"{environ.get('XDG_RUNTIME_DIR', '')}/docker.sock"
    if not os.path.exists(_SYSTEM_SOCKET) and rootless[0] == "/" and os.path.exists(rootless):
        return f"unix://{rootless}"
    return f"unix://{_SYSTEM_SOCKET}"


def current_context(environ: Mapping[str, str]) -> str | None:
    """The docker context in use, None where DOCKER_HOST or the usual socket decides."""
    if environ.get("DOCKER_HOST"):
        return None
    name = environ.get("DOCKER_CONTEXT") or _json_file(f"{_folder(environ)}/config.json").get(
        "currentContext"
    )
    return name if isinstance(name, str) and name not in ("", "default") else None


class TlsFiles(NamedTuple):
    """Where `ca.pem`, `cert.pem` and `key.pem` are, and whether the server's name is checked."""

    folder: str
    verify: bool


def tls_files(environ: Mapping[str, str]) -> TlsFiles | None:
    """The TLS settings of the engine of `engine_host`; None where none are made.

    As the docker command reads them: a context brings its own, else the variables count.
    """
    context = current_context(environ)
    if context is not None:
        folder = f"{_folder(environ)}/contexts/tls/{_digest(context)}/docker"
        skip = _endpoint(environ, context).get("SkipTLSVerify")
        return TlsFiles(folder, not skip) if os.path.isdir(folder) else None
    certificates, verify = environ.get("DOCKER_CERT_PATH"), bool(environ.get("DOCKER_TLS_VERIFY"))
    if not certificates and not verify:
        return None
    return TlsFiles(certificates or _folder(environ), verify)


def _folder(environ: Mapping[str, str]) -> str:
    return environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", "/"), ".docker")


def _endpoint(environ: Mapping[str, str], context: str) -> dict[str, Any]:
    meta = _json_file(f"{_folder(environ)}/contexts/meta/{_digest(context)}/meta.json")
    endpoints = meta.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    return docker if isinstance(docker, dict) else {}


def _digest(context: str) -> str:
    return hashlib.sha256(context.encode()).hexdigest()


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
        self._tls = tls_files(environ)
        if self._tls is None and self._url.scheme == "https":
            self._tls = TlsFiles(_folder(environ), True)

    @property
    def is_local(self) -> bool:
        """Whether the engine's processes are processes of this machine (or of its own VM)."""
        return self._url.scheme == "unix"

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted, and the engine's name checked."""
        return self._tls is not None and self._tls.verify

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
        if self._tls is None:
            return http.client.HTTPConnection(
                self._url.hostname, self._url.port or 2375, timeout=timeout
            )
        return http.client.HTTPSConnection(
            self._url.hostname,
            self._url.port or 2376,
            timeout=timeout,
            context=_ssl_context(self._tls),
        )

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


def _ssl_context(files: TlsFiles) -> ssl.SSLContext:
    """
    :raises ApiError: a file is missing or is not what it should be
    """
    context = ssl.create_default_context()
    try:
        if files.verify:
            context.load_verify_locations(os.path.join(files.folder, "ca.pem"))
        else:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(
            os.path.join(files.folder, "cert.pem"), os.path.join(files.folder, "key.pem")
        )
    except OSError as error:
        detail = f"{files.folder}: {error.strerror or error}"
        raise ApiError("certificates", detail) from None
    return context


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
