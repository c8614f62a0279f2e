"""Why an engine cannot be reached: the case, found in the chain of exceptions, and its message for the user.

The libraries in between wrap the system's error several times, each in its own way, so the whole chain is searched.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from typing import NamedTuple

_START = "start it (`sudo systemctl start docker`), or set DOCKER_HOST to the engine you use"
_ADDRESSES = (
    "set DOCKER_HOST to a `unix://`, `tcp://` or `ssh://` address, or use a docker context: "
    "`docker context ls`"
)


class CertificatesError(OSError):
    """A certificate or key file of the client, or the authority's certificate, is missing or invalid."""


class SshError(OSError):
    """`ssh` did not connect to the engine; the text is the last line that it printed."""


class Words(NamedTuple):
    """A message and its hint, with `{host}` for the engine's address and `{detail}` for what was found."""

    message: str
    hint: str


WORDS: dict[str, Words] = {
    "absent": Words("there is no container engine at `{host}`", f"install docker.io, or {_START}"),
    "refused": Words(
        "the container engine at `{host}` is not running: its socket refuses connections", _START
    ),
    "permission": Words(
        "no permission to use the container engine at `{host}`",
        "join its group (`sudo usermod -aG docker $USER`, then log in again), "
        "or use rootless Docker",
    ),
    "hanging": Words(
        "the container engine at `{host}` does not answer: waited {detail} s",
        "see what it is doing (`journalctl -u docker -n 50`), then `sudo systemctl restart docker`",
    ),
    "address": Words("cannot use the engine address `{host}`", _ADDRESSES),
    "context": Words("there is no docker context `{detail}`", "`docker context ls` lists them"),
    "certificates": Words("cannot read the engine's TLS files: {detail}", "check DOCKER_CERT_PATH"),
    "tls": Words(
        "the container engine at `{host}` and this machine do not trust each other: {detail}",
        "check that DOCKER_CERT_PATH holds the certificates made for this engine and this address",
    ),
    "ssh": Words(
        "ssh does not lead to the container engine at `{host}`: {detail}",
        "log in once by `ssh`, so that the machine's key is known and no password is asked, "
        "and see that `docker version` works there",
    ),
    "broken": Words(
        "the container engine at `{host}` broke off in the middle of an answer: {detail}",
        "it may be restarting: run the command again; if it stays, see `journalctl -u docker`",
    ),
    "elsewhere": Words("cannot reach the container engine at `{host}`: {detail}", _START),
}
"""Message and hint of each case."""

_REFUSES = Words(
    "the container engine at `{host}` refuses: {detail}", "see its log: `journalctl -u docker`"
)

_BY_NUMBER = {
    errno.ENOENT: "absent",
    errno.ENOTDIR: "absent",
    errno.ECONNREFUSED: "refused",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
}


def words(case: str, host: str, detail: str) -> Words:
    """Message and hint for `case`; a case that is not in `WORDS` gets those of an engine that refuses."""
    template = WORDS.get(case, _REFUSES)
    # Not str.format: the words of an engine may hold braces.
    message = template.message.replace("{host}", host).replace("{detail}", detail)
    return Words(message, template.hint)


def case_of(error: BaseException, waited: float) -> tuple[str, str]:
    """The case that `error` shows, a key of `WORDS`, and what was found, '' for nothing.

    :param waited: the time limit of the answer, in seconds
    """
    for cause in _chain(error):
        if isinstance(cause, CertificatesError):
            return "certificates", str(cause)
        if isinstance(cause, SshError):
            return "ssh", str(cause)
        if isinstance(cause, TimeoutError):
            return "hanging", f"{waited:g}"
        if _is_a(cause, "ssl", "SSLError"):
            return "tls", str(cause)  # its number is no errno: 1 would read as "permission"
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return "broken", _text(cause)
        if isinstance(cause, OSError) and cause.errno is not None:
            return _BY_NUMBER.get(cause.errno, "elsewhere"), _text(cause)
        if isinstance(cause, ValueError) or _is_a(cause, "http.client", "HTTPException"):
            return "broken", _text(cause)
    return "broken", _text(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error`, and then the errors that it was raised for."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_a(error: BaseException, module: str, name: str) -> bool:
    """Whether `error` is of a class whose module is loaded only where it can occur."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, getattr(loaded, name))


def _text(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300]
