"""Finds the engine that a caller means, and how to reach it, from the caller's environment.

The SDK reads the same files, but always by the variables of its own process; the daemon acts for callers whose
variables differ from its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

VARIABLES = (
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "HOME",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
)
"""The environment variables that `resolve` reads."""

# Programs read these for other reasons, too.
_ALSO_OTHERS = ("HOME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR")

_SYSTEM_SOCKET = "/var/run/docker.sock"
_MOST_BYTES = 1 << 20


class TlsFiles(NamedTuple):
    """The folder of `ca.pem`, `cert.pem` and `key.pem`, and whether the server's certificate is verified."""

    folder: str
    verify: bool


class Identity(NamedTuple):
    """One engine, and how it is reached. Equal identities reach the same engine in the same way."""

    host: str
    """Its address as in DOCKER_HOST; `context:NAME` where the docker context NAME does not exist."""
    context: str | None = None
    """The name of the docker context that it comes from; None for DOCKER_HOST or the default socket."""
    tls: TlsFiles | None = None
    """None for no TLS, which is always so for Unix sockets and ssh."""
    config: str = ""
    """The absolute path of the folder of docker's `config.json`; '' for none."""
    agent: str = ""
    """The path of the caller's ssh agent socket; '' where the engine is not reached by ssh."""

    @property
    def is_local(self) -> bool:
        """Whether the engine runs on this machine, so that its bind mounts show this machine's files."""
        return self.host.startswith("unix:")

    @property
    def address(self) -> str:
        """`host`; that of a local socket by its real path, so that it is the same for all links to the socket."""
        if not self.is_local:
            return self.host
        return f"unix://{os.path.realpath(self.host.removeprefix('unix://'))}"

    def to_json(self) -> dict[str, Any]:
        """The identity as a JSON value, for `from_json`."""
        return {**self._asdict(), "tls": self.tls._asdict() if self.tls else None}

    def variables(self) -> dict[str, str]:
        """Variables with which the docker command uses this engine; the others of `VARIABLES` must be unset."""
        variables = {"DOCKER_HOST": self.host}
        if self.config:
            variables["DOCKER_CONFIG"] = self.config
        if self.tls is not None:
            variables["DOCKER_CERT_PATH"] = self.tls.folder
            variables["DOCKER_TLS_VERIFY" if self.tls.verify else "DOCKER_TLS"] = "1"
        if self.agent:
            variables["SSH_AUTH_SOCK"] = self.agent
        return variables

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base`, changed so that the docker command uses this engine."""
        others = {n: base[n] for n in base if n not in VARIABLES or n in _ALSO_OTHERS}
        return others | self.variables()

    def with_agent_of(self, environ: Mapping[str, str]) -> Identity:
        """The same engine, reached with the SSH agent of the login of `environ`: that of another login may have ended."""
        return self._replace(agent=self.agent and environ.get("SSH_AUTH_SOCK", ""))

    def before_command(self) -> str:
        """Assignments, quoted for a shell, to put in front of a command that is to use this engine."""
        import shlex

        variables = self.variables()
        # Each login has its own agent, and docker's own folder is the same for all of a user's shells.
        meant = (name for name in variables if name not in ("DOCKER_CONFIG", "SSH_AUTH_SOCK"))
        return " ".join(f"{name}={shlex.quote(variables[name])}" for name in meant)

    @classmethod
    def from_json(cls, value: object) -> Identity:
        """The identity in a value that `to_json` made.

        :raises ValueError: it has another form
        """
        if not isinstance(value, dict) or set(value) != set(cls._fields):
            raise ValueError("not the identity of an engine")
        tls = value["tls"]
        texts = [value[name] for name in ("host", "config", "agent")]
        if not all(isinstance(text, str) for text in (*texts, value["context"] or "")):
            raise ValueError("the identity of an engine is made of texts")
        return cls(**{**value, "tls": None if tls is None else _tls_from_json(tls)})


def resolve(environ: Mapping[str, str]) -> Identity:
    """The engine that the docker command would use: by DOCKER_HOST, else by its context, else at the default socket."""
    folder = _config_folder(environ)
    context = _current_context(environ, folder)
    host = _host(environ, folder, context)
    if host.startswith("unix:"):
        path = host.removeprefix("unix:").removeprefix("//") or _SYSTEM_SOCKET
        return Identity(f"unix://{os.path.abspath(path)}", context, None, folder)
    if host.startswith("ssh:"):
        return Identity(host, context, None, folder, environ.get("SSH_AUTH_SOCK", ""))
    return Identity(host, context, _tls_files(environ, folder, context, host), folder)


def on_engine(sandbox: str, environ: Mapping[str, str]) -> str:
    """A name for the sandbox of this identity on the engine that `environ` selects: each engine may run one.

    :param sandbox: its identity (`model.sandbox_id`), which is a path and so has no NUL in it
    """
    return f"{sandbox}\0{resolve(environ).address}"


def _config_folder(environ: Mapping[str, str]) -> str:
    folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", "/"), ".docker")
    return os.path.abspath(folder)


def _current_context(environ: Mapping[str, str], folder: str) -> str | None:
    if environ.get("DOCKER_HOST"):
        return None
    name = environ.get("DOCKER_CONTEXT") or _json_file(f"{folder}/config.json").get(
        "currentContext"
    )
    return name if isinstance(name, str) and name not in ("", "default") else None


def _host(environ: Mapping[str, str], folder: str, context: str | None) -> str:
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    if context is not None:
        host = _endpoint(folder, context).get("Host")
        return host if isinstance(host, str) and host else f"context:{context}"
    rootless = f"{environ.get('XDG_RUNTIME_DIR', '')}/docker.sock"
    if not os.path.exists(_SYSTEM_SOCKET) and rootless[0] == "/" and os.path.exists(rootless):
        return f"unix://{rootless}"
    return f"unix://{_SYSTEM_SOCKET}"


def _tls_files(
    environ: Mapping[str, str], folder: str, context: str | None, host: str
) -> TlsFiles | None:
    """The TLS files that the docker command would use: a context brings its own, else the variables count."""
    if context is not None:
        files = f"{folder}/contexts/tls/{_digest(context)}/docker"
        skip = _endpoint(folder, context).get("SkipTLSVerify")
        return TlsFiles(files, not skip) if os.path.isdir(files) else None
    certificates, verify = environ.get("DOCKER_CERT_PATH"), bool(environ.get("DOCKER_TLS_VERIFY"))
    if certificates or verify or environ.get("DOCKER_TLS"):
        return TlsFiles(os.path.abspath(certificates or folder), verify)
    return TlsFiles(folder, True) if host.startswith("https:") else None


def _endpoint(folder: str, context: str) -> dict[str, Any]:
    meta = _json_file(f"{folder}/contexts/meta/{_digest(context)}/meta.json")
    endpoints = meta.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    return docker if isinstance(docker, dict) else {}


def _digest(context: str) -> str:
    return hashlib.sha256(context.encode()).hexdigest()


def _json_file(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _tls_from_json(value: object) -> TlsFiles:
    if not isinstance(value, dict) or set(value) != set(TlsFiles._fields):
        raise ValueError("not the TLS files of an engine")
    folder, verify = value["folder"], value["verify"]
    if not isinstance(folder, str) or not isinstance(verify, bool):
        raise ValueError("not the TLS files of an engine")
    return TlsFiles(folder, verify)
