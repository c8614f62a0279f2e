"""Where the container engine is: what the docker command line would use."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sandboxd.errors import UsageError
from sandboxd.sandbox.transport import Tls

if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEM = "/var/run/docker.sock"


def engine_host(environ: Mapping[str, str]) -> str:
    """The `DOCKER_HOST` value in force: the variable, docker's context, else the usual socket.

    :raises UsageError: the chosen context does not exist
    """
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", "/"), ".docker")
    context = environ.get("DOCKER_CONTEXT") or _json(f"{folder}/config.json").get("currentContext")
    if context and context != "default":
        name = sha256(str(context).encode()).hexdigest()
        meta = _json(f"{folder}/contexts/meta/{name}/meta.json")
        try:
            return str(meta["Endpoints"]["docker"]["Host"])
        except (KeyError, TypeError):
            raise UsageError(
                f"there is no docker context `{context}`", "`docker context ls` lists them"
            ) from None
    rootless = f"{environ.get('XDG_RUNTIME_DIR', '')}/docker.sock"
    if not os.path.exists(_SYSTEM) and rootless != "/docker.sock" and os.path.exists(rootless):
        return f"unix://{rootless}"
    return f"unix://{_SYSTEM}"


def engine_tls(environ: Mapping[str, str]) -> Tls | None:
    """TLS settings of a `tcp://` engine, as the docker command line reads them."""
    folder = environ.get("DOCKER_CERT_PATH")
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not folder and not verify:
        return None
    return Tls(folder or os.path.join(environ.get("HOME", "/"), ".docker"), verify)


def _json(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read(1 << 20))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
