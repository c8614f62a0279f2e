"""Reads which ports a sandbox listens on, with the `sh` and `cat` of its image: convenient, but not trustworthy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATOR = "-- sandboxd --"
_SCRIPT = (
    f"cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; echo '{_SEPARATOR}'; "
    f"ls -l /proc/[0-9]*/fd 2>/dev/null; echo '{_SEPARATOR}'; "
    "grep . /proc/[0-9]*/comm /dev/null 2>/dev/null; true"
)
_LISTENS = "0A"
_ENGINES_OWN = "0B00007F:"
"""127.0.0.11, where an engine answers questions for names."""
_FOLDER = re.compile(r"/proc/(\d+)/fd:")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_NAME = re.compile(r"/proc/(\d+)/comm:(.*)")
_MOST = 1000


class Listener(NamedTuple):
    """A TCP port that a program inside listens on.

    `program` is its name, hostile text; '' where it is not known.
    """

    port: int
    program: str = ""


LOOK = ("sh", "-c", _SCRIPT)
"""The command to run inside; `parse` reads its output."""


def parse(text: str) -> tuple[Listener, ...]:
    """The listeners in the output of `LOOK`; lines that are not valid are left out."""
    tables, folders, names = (*text.split(_SEPARATOR), "", "")[:3]
    programs = {match[1]: match[2] for match in _NAME.finditer(names)}
    owners = dict(_owners(folders))
    ports: dict[int, str] = {}
    for port, inode in sockets(tables):
        program = programs.get(owners.get(inode, ""), "")
        ports[port] = ports.get(port) or program
    return tuple(Listener(port, ports[port]) for port in sorted(ports)[:_MOST])


def sockets(tables: str) -> Iterator[tuple[int, str]]:
    """(port, inode number) of each listening socket in the text of `/proc/net/tcp` and `/proc/net/tcp6`."""
    for line in tables.splitlines():
        fields = line.split()
        is_row = len(fields) > 9 and fields[3] == _LISTENS
        if is_row and not fields[1].startswith(_ENGINES_OWN):
            digits = fields[1].rpartition(":")[2]
            if digits and not digits.strip("0123456789ABCDEFabcdef"):
                yield int(digits, 16) & 0xFFFF, fields[9]


def _owners(folders: str) -> Iterator[tuple[str, str]]:
    """The inode of each socket with the process that holds it, from a listing of descriptors."""
    process = ""
    for line in folders.splitlines():
        if folder := _FOLDER.match(line):
            process = folder[1]
        elif socket := _SOCKET.search(line):
            yield socket[1], process
