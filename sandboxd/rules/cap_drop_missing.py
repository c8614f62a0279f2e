"""No capability is dropped.

## What it is

`--cap-drop=ALL` is not in `runArgs`. The container then has docker's 14 default capabilities.

## Why it is bad

Among the default ones are NET_RAW (forge packets on the container network, CVE-2020-14386),
MKNOD, SETFCAP and SYS_CHROOT. A process that became root inside has them all, though next to no
development work needs them.

    capsh --print    # what root inside can do

## What to do instead

Drop all and add the five that package managers and `chown` need:

    "runArgs": ["--cap-drop=ALL"],
    "capAdd": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]

It is a hint, since nearly no config does it and by itself its absence opens nothing.

## Under gVisor

The capabilities are virtual. Dropping them still keeps root inside from mounting over and
forging, so the hint stays.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
- https://nvd.nist.gov/vuln/detail/CVE-2020-14386
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_container
from sandboxd.rules._users import is_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="cap-drop-missing",
    summary="no capability is dropped",
    severity=Severity.HINT,
    since="0.1.0",
    why="root inside keeps NET_RAW, MKNOD and others that development does not need",
)

_NEEDED = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")

_WITH_FIVE = "drop all capabilities, and add back the five that package managers need"


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    added = {value.value for value in subject.cap_add}
    # Dropping has no effect beside these two, and they have rules of their own.
    if subject.is_privileged() or "ALL" in added:
        return
    if subject.drops_all() or not subject.is_whole():
        return
    user = subject.user or subject.image_user
    # A process of another user gets none of those that are added; in a dev container its `sudo` does.
    needs_some = not subject.on_cluster or user is None or not user.value or is_root(user.value)
    needed = [name for name in _NEEDED if name not in added] if needs_some else []
    yield at_container(
        META,
        subject,
        "`--cap-drop=ALL` is missing: root inside has all 14 default capabilities",
        "cap-drop",
        (
            Remedy(
                _WITH_FIVE if needed else "drop all capabilities",
                safe=False,
                changes=(Add("cap_drop", "ALL"), *(Add("cap_add", name) for name in needed)),
                caution="`ping`, `mknod` and ports below 1024 may stop working",
            ),
        ),
    )
