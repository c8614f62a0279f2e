"""Sockets of families that a filter should refuse."""

from __future__ import annotations

import errno
import socket

from sandboxd.inside.escapes._kernel import NotApplicable, call

_ABOVE_32_BITS = 1 << 32


def open_family(family: int, kind: int) -> str:
    """Open a socket and close it, and say how it opened.

    The kernel reads 32 bits of the family, and a filter may compare all 64 (CVE-2026-123876).

    :raises OSError: both ways were refused
    :raises NotApplicable: the kernel has no such family
    """
    try:
        try:
            socket.socket(family, kind, 0).close()
        except PermissionError:
            handle = call("socket", family | _ABOVE_32_BITS, kind, 0)
            socket.close(handle)
            return "opens with bits above the family, which the filter does not see"
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            raise NotApplicable("this kernel has no such socket") from None
        raise
    return "opens"
