"""Remount a read-only mount writable in a namespace of our own, then write.

Linux locks the read-only flag of mounts that a user namespace inherits; gVisor's sentry does not,
so under directfs an unprivileged process writes to the host. SYS_ADMIN needs no user namespace.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import MS_BIND, MS_REMOUNT, mount, own_mounts
from sandboxd.inside.escapes._pins import each_target, overwrite, pinned_files

TITLE = "remount a pin writable in an own namespace"
JUDGE = "workspace"
EXPECTED = {"runc": "no new namespace, or a locked mount", "runsc": "the gofer refuses the write"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    targets = pinned_files(facts, "pin-remount")
    own_mounts()
    for pin in facts["pins"]:
        try:
            mount("", pin["inside"], "", MS_REMOUNT | MS_BIND)
        except OSError:
            continue
    return each_target(targets, overwrite)
