"""The capability DAC_READ_SEARCH is added.

## What it is

`"capAdd": ["DAC_READ_SEARCH"]` or `--cap-add=DAC_READ_SEARCH`. With it docker's seccomp profile
allows `open_by_handle_at`.

## Why it is bad

`open_by_handle_at` opens a file by its number on the file system and asks neither for a path nor
for the mount namespace. Any file of the host on the same file system as a bind mount can be
read; the published escape is known as shocker.

    ./shocker /etc/shadow    # reads the host's file through the mount of /etc/hosts

## What to do instead

Remove it. Backup programs that ask for it can run as the owner of the files.

## Under gVisor

File handles are gVisor's own, and the host is not reached; it is a hint.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://github.com/moby/profiles/blob/main/seccomp/default.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._capabilities import added
from sandboxd.rules._needs import Has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="cap-add-dac-read-search",
    summary="the capability DAC_READ_SEARCH is added",
    severity=Severity.ERROR,
    since="0.1.0",
    why="any file of the host can be read by its number, mounted or not",
    needs=(Has("cap_add", "DAC_READ_SEARCH"),),
)


_EFFECTS = {
    "DAC_READ_SEARCH": (
        "opens files of the host by their number, whether they are mounted or not",
        Severity.ERROR,
    ),
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    yield from added(
        META,
        subject,
        host,
        _EFFECTS,
        Severity.HINT,
        "reading files without permission stops working",
    )
