"""The profile allows every system call that it does not name.

## What it is

`defaultAction` is `SCMP_ACT_ALLOW`, `SCMP_ACT_LOG` or `SCMP_ACT_TRACE`.

## Why it is bad

Such a list refuses what its author thought of. Whatever the kernel learns later is open, and so is
every older way to the same end: a list against `mount` that does not know `fsconfig` refuses
nothing to who uses `fsconfig`.

    {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO"}]}

## What to do instead

Start from docker's own list and take from it: `"defaultAction": "SCMP_ACT_ERRNO"` and the calls that
are needed. `sandboxd init` writes one that all usual tools were run with.

## Under gVisor

There it is the other way round: gVisor refuses every name of an allowlist that it does not know,
and threads fail. A denylist is right for it. A file with `gvisor` or `runsc` in its name that refuses
mounts and new namespaces is a hint. The one that `sandboxd generate` wrote is none, as long as
nobody changed it.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://gvisor.dev/docs/user_guide/compatibility/
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.data import data_path
from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-default-allow",
    summary="the profile allows every system call that it does not name",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what the author did not think of is open, and so is all that the kernel learns later",
    needs=(Field("default"),),
)

_SIGCHLD, _NEWUSER = 17, 0x10000000
_MOUNTS = ("mount", "umount2", "pivot_root", "move_mount", "fsmount", "mount_setattr")


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.default is None or not subject.is_denylist() or _is_ours(subject):
        return
    still = [call for call in _MOUNTS if subject.decide(call).is_open]
    if subject.decide("unshare", {0: _NEWUSER}).is_open:
        still.append("unshare")
    if subject.decide("clone", {0: _NEWUSER | _SIGCHLD}).is_open:
        still.append("clone")
    opened = f"; open among others: {', '.join(f'`{call}`' for call in still[:4])}" if still else ""
    name = subject.path.rpartition("/")[2].lower()
    for_gvisor = "gvisor" in name or "runsc" in name
    yield at_value(
        META,
        subject.default,
        f"`{subject.default.value}` lets every call happen that no rule names{opened}",
        subject.default.value,
        Severity.ERROR if still else Severity.HINT if for_gvisor else Severity.WARNING,
    )


def _is_ours(profile: SeccompProfile) -> bool:
    """True if a generated file holds one of our own lists for gVisor."""
    import json

    if not profile.path.endswith(".devcontainer/sandboxd/seccomp.json"):
        return False
    rules_of_file = [plain(rule.node) for rule in profile.rules]
    folder = data_path("profiles", "seccomp")
    for name in os.listdir(folder):
        if name.endswith("-runsc.json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                if json.load(file)["syscalls"] == rules_of_file:
                    return True
    return False
