"""Sends entries of the audit record to systemd's journal by its native protocol.

https://systemd.io/JOURNAL_NATIVE_PROTOCOL/: one datagram for each entry, one line for each field. An entry that is too
large for a datagram is sent as the descriptor of a sealed memory file.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from collections.abc import Iterable

from sandboxd.audit import words
from sandboxd.audit.entry import Entry
from sandboxd.errors import EnvironmentFailure

SOCKET = "/run/systemd/journal/socket"

_INFO = 6


def send(entries: Iterable[Entry], path: str = SOCKET) -> int:
    """Send `entries` to the journal; returns their number.

    :param path: of the journal's socket
    :raises EnvironmentFailure: there is no journal, or it refuses an entry
    """
    count = 0
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.connect(path)
            for entry in entries:
                _send(journal, message(entry))
                count += 1
    except OSError as error:
        raise EnvironmentFailure(
            f"the journal at `{path}` does not take the record after {count} entries: "
            f"{(error.strerror or 'an error').lower()}",
            "without systemd: `sandboxd audit --json`, or `--otlp`",
        ) from None
    return count


def _send(journal: socket.socket, text: bytes) -> None:
    try:
        journal.send(text)
    except OSError as error:
        if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS) or sys.platform != "linux":
            raise
        import fcntl

        descriptor = os.memfd_create("sandboxd", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
            socket.send_fds(journal, [b""], [descriptor])


def message(entry: Entry) -> bytes:
    """The datagram of one entry. JSON escapes line ends, so no value can forge a field."""
    fields = {
        "MESSAGE": json.dumps(f"{entry.kind}: {words.sentence(entry)}")[1:-1],
        "PRIORITY": str(_INFO),
        "SYSLOG_IDENTIFIER": "sandboxd",
        "SANDBOXD_NUMBER": str(entry.number),
        "SANDBOXD_KIND": json.dumps(entry.kind)[1:-1],
        "SANDBOXD_PROJECT": json.dumps(entry.project)[1:-1],
        "SANDBOXD_BY": json.dumps(entry.by)[1:-1],
        "SANDBOXD_BEFORE": json.dumps(entry.before)[1:-1],
        "SANDBOXD_FACTS": json.dumps(entry.facts),
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items()).encode("ascii")
