"""What the engine, or its absence, says in words a person can act on."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.engine.http1 import WireError
from sandboxd.engine.transport import (
    ANSWER_SECONDS,
    ApiError,
    CertificatesError,
    is_tls_error,
)
from sandboxd.errors import EnvironmentFailure

_START = "start it (`sudo systemctl start docker`), or set DOCKER_HOST to the engine you use"


class ContainerGone(EnvironmentFailure):
    """The container does not exist, or does not run any more."""


class NoAnswer(EnvironmentFailure):
    """Nothing came back in time: the engine hangs, or what it was asked about does."""


class NameTaken(EnvironmentFailure):
    """Another container has the name."""


class CannotStart(EnvironmentFailure):
    """The engine made the container, and its runtime could not start it."""


def bad_address(host: str) -> EnvironmentFailure:
    """The engine's address cannot be used from here."""
    scheme, _, rest = host.partition(":")
    if scheme == "context":
        return EnvironmentFailure(
            f"there is no docker context `{rest}`", "`docker context ls` lists them"
        )
    return EnvironmentFailure(
        f"cannot use the engine address `{host}`",
        "set DOCKER_HOST to a `unix://` or `tcp://` address; for an engine behind ssh, "
        "forward its socket: `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`",
    )


class SourceMissing(CannotStart):
    """A folder or file to mount is not there for the engine; `path` is the one."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"the folder or file `{path}` to mount is not there",
            "create it, or run `sandboxd up` again so that the plan is made anew",
        )
        self.path = path


def unreachable(host: str, error: Exception, waited: float = ANSWER_SECONDS) -> EnvironmentFailure:
    """Why nothing useful came back from the engine at `host`."""
    if isinstance(error, CertificatesError):
        return EnvironmentFailure(
            f"cannot read the engine's TLS files: {error}", "check DOCKER_CERT_PATH"
        )
    if isinstance(error, TimeoutError):
        return NoAnswer(
            f"the container engine at `{host}` does not answer: waited {waited:.0f} s",
            "see what it is doing (`journalctl -u docker -n 50`) and restart it "
            "(`sudo systemctl restart docker`)",
        )
    if is_tls_error(error):
        return EnvironmentFailure(
            f"the container engine at `{host}` and this machine do not trust each other: {error}",
            "check that DOCKER_CERT_PATH holds the certificates made for this engine and address",
        )
    if isinstance(error, WireError | ConnectionResetError | BrokenPipeError):
        return EnvironmentFailure(
            f"the container engine at `{host}` broke off in the middle of an answer",
            "it may be restarting: run the command again; if it stays, see `journalctl -u docker`",
        )
    code = error.errno if isinstance(error, OSError) else None
    if code in (errno.ENOENT, errno.ENOTDIR):
        return EnvironmentFailure(f"there is no container engine at `{host}`", _START)
    if code == errno.ECONNREFUSED:
        return EnvironmentFailure(
            f"the container engine at `{host}` is not running: its socket refuses connections",
            _START,
        )
    if code in (errno.EACCES, errno.EPERM):
        return EnvironmentFailure(
            f"no permission to use the container engine at `{host}`",
            "join the engine's group (`sudo usermod -aG docker $USER`, then log in again), "
            "or use rootless Docker",
        )
    return EnvironmentFailure(
        f"cannot reach the container engine at `{host}`: {str(error).lower()}", _START
    )


def _not_started(words: str) -> CannotStart:
    return CannotStart(
        f"the runtime could not start the container: {words}",
        "`sandboxd doctor` shows which runtimes work on this machine",
    )


class _Case(NamedTuple):
    pattern: str
    make: Callable[[re.Match[str]], EnvironmentFailure]


_CASES = (
    _Case(
        r"no space left on device",
        lambda _: EnvironmentFailure(
            "the container engine has no disk space left",
            "free some (`docker system df`, then `docker system prune`) and run the command again",
        ),
    ),
    _Case(
        r"no such image: ?([^\s]+)|unable to find image '?([^\s']+)",
        lambda m: image_missing(m[1] or m[2]),
    ),
    _Case(
        r"unknown or invalid runtime name: ?([^\s]+)|unknown runtime specified ([^\s]+)",
        lambda m: EnvironmentFailure(
            f"the container engine has no runtime `{m[1] or m[2]}`",
            "`sandboxd doctor` lists the runtimes it has and how to register one",
        ),
    ),
    _Case(
        r"container name \"?/?([^\s\"]+)\"? is already in use",
        lambda m: NameTaken(
            f"a container named `{m[1]}` exists that sandboxd did not make",
            f"remove it (`docker rm {m[1]}`) or rename it (`docker rename {m[1]} NAME`)",
        ),
    ),
    _Case(
        r"exec: \"([^\"]+)\": .*(?:not found|no such file)|"
        r"error finding executable \"([^\"]+)\"|failed to load ([^\s:]+): no such file",
        lambda m: CannotStart(
            f"the image has no program `{m[1] or m[2] or m[3]}`",
            "use an image with it, or check the command's spelling",
        ),
    ),
    _Case(
        r"fork/exec ([^\s:]+): (.*?)(?:: unknown)?$",
        lambda m: CannotStart(
            f"the runtime's program `{m[1]}` cannot be started: {m[2]}",
            "`sandboxd doctor` shows which runtimes work on this machine",
        ),
    ),
    _Case(
        r"bind source path does not exist: ?(.+)$|error mounting \"([^\"]+)\"",
        lambda m: SourceMissing(m[1] or m[2]),
    ),
    _Case(
        r"network ([^\s]+) not found",
        lambda m: EnvironmentFailure(
            f"the container engine has no network `{m[1]}`",
            f"create it: `docker network create {m[1]}`",
        ),
    ),
    _Case(
        r"container ([0-9a-f]+|[^\s]+) is not running|no such (?:container|exec)|"
        r"cannot exec in a stopped|container .* is (?:paused|restarting)",
        lambda _: gone(),
    ),
    _Case(r"oci runtime create failed: (.*?)(?:: unknown)?$", lambda m: _not_started(m[1])),
    _Case(
        r"failed to create (?:shim )?task(?: for container)?: (.*?)(?:: unknown)?$",
        lambda m: _not_started(m[1]),
    ),
)


def refused(error: ApiError) -> EnvironmentFailure:
    """What an error answer of the engine means."""
    for case in _CASES:
        found = re.search(case.pattern, error.message, re.IGNORECASE)
        if found is not None:
            return case.make(found)
    return EnvironmentFailure(
        f"the container engine refused the request: {error.message or error.status}",
        "`sandboxd explain-plan` shows what was asked for",
    )


def image_missing(image: str) -> EnvironmentFailure:
    """The engine has no image of this name."""
    return EnvironmentFailure(
        f"the container engine has no image `{image}`",
        f"get it (`docker pull {image}`), build it, or load a root file system "
        f"(`docker import FILE.tar {image}`)",
    )


def gone() -> ContainerGone:
    """The container is not there, or stopped."""
    return ContainerGone(
        "the sandbox is not running (any more)",
        "`sandboxd up` starts it; `sandboxd logs` shows its last words",
    )
