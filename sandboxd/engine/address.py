"""Where the container engine is: the address and the TLS files that the docker command would use."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

_SYSTEM_SOCKET = "/var/run/docker.sock"


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
    if certificates or verify:
        return TlsFiles(certificates or _folder(environ), verify)
    return TlsFiles(_folder(environ), True) if engine_host(environ).startswith("https:") else None


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
