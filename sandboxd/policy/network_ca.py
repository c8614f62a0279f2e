"""The CA certificates of a network whose proxy opens TLS: those in the files that `network_ca` of a policy names."""

from __future__ import annotations

import os
import re
import ssl
import stat
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.files import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGEST = 1 << 20
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def certificates(paths: Iterable[str]) -> tuple[str, ...]:
    """The certificates in the files `paths`, each once, in PEM, without other content such as keys.

    :raises UsageError: a file cannot be read, could be written by others, or has no valid certificate
    """
    blocks = (block for path in paths for block in _read(path))
    return tuple(dict.fromkeys(blocks))


def blocks_in(data: bytes) -> list[str]:
    """The certificates in a text of PEM; their content is not looked at."""
    return [block.decode("ascii") for block in _CERTIFICATE.findall(data)]


def _read(path: str) -> list[str]:
    try:
        with reading(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)) as file:
            status = os.fstat(file.fileno())
            data = file.read(_LARGEST + 1) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        raise _unusable(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    if status.st_mode & stat.S_IWOTH or status.st_uid not in (0, os.geteuid()):
        raise UsageError(
            f"the certificates in `{path}` can be written by others",
            f"`chmod o-w {path}`, and own it",
        )
    if len(data) > _LARGEST:
        raise _unusable(path, f"are larger than {_LARGEST >> 20} MiB")
    blocks = blocks_in(data)
    if not blocks:
        raise _unusable(path, "are none: no `BEGIN CERTIFICATE` is there")
    try:
        ssl.create_default_context(cadata="\n".join(blocks))
    except ssl.SSLError as error:
        raise _unusable(path, f"are not valid ({error.reason or error})") from None
    return blocks


def _unusable(path: str, why: str) -> UsageError:
    return UsageError(
        f"the certificates in `{path}`, which `network_ca` of the policy names, {why}",
        "name a file of your network's CA certificates in PEM, or remove the line",
    )
