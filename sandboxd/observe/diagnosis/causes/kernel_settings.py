"""Settings of the kernel below /proc/sys and /sys, which are the host's, or those of gVisor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

_WORDS = re.compile(
    r"(/(?:proc/sys|sys)/[^ '’`\":]+)['’`\"]?: (?:Permission denied|Read-only file system|Operation not permitted)"
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where a program could not write such a setting: engines mount them read-only, or cover them."""
    hit = find_line(failure, _WORDS)
    if hit is not None and not sandbox.container.is_privileged():
        because = f"`{hit[1]}` is a setting of the kernel, which no program inside changes"
        yield Answer("kernel settings", because, "the engine", is_certain=True)
