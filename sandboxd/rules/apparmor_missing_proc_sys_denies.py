"""The profile leaves files of /proc and /sys open that act on the host.

## What it is

A rule allows (`file,` for one) what no `deny` takes back: writing to `/proc/sysrq-trigger`,
`/proc/sys/kernel/core_pattern`, `/sys/kernel/uevent_helper` and their like, or reading
`/proc/kcore`. The rules are evaluated with their wildcards, as the kernel would.

## Why it is bad

The engine mounts these paths read-only or hides them. With one capability too many that is undone,
and the profile is what still holds:

    echo '|/tmp/x' > /proc/sys/kernel/core_pattern    # runs /tmp/x on the host at the next crash

A `deny` that was meant and misses is the usual case: `deny /proc/sys/* w,` does not reach
`/proc/sys/kernel/core_pattern`, since `*` ends at a slash.

## What to do instead

Take docker's own denies; the fix adds those that are missing.

## Under gVisor

gVisor ignores AppArmor profiles (it says so in its log), so the profile is no control there.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/apparmor/
- https://github.com/moby/profiles/blob/main/apparmor/template.go
- https://man7.org/linux/man-pages/man5/apparmor.d.5.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-missing-proc-sys-denies",
    summary="the profile leaves files of /proc and /sys open that act on the host",
    severity=Severity.WARNING,
    since="0.1.0",
    why="some files there run a program on the host, or restart it, when written",
)

# A path of each group that docker's own profile denies, what for, and the rule that denies it.
_PROBES = (
    ("/proc/sysrq-trigger", "w", "deny @{PROC}/sysrq-trigger rwklx,"),
    ("/proc/kcore", "r", "deny @{PROC}/kcore rwklx,"),
    (
        "/proc/sys/kernel/core_pattern",
        "w",
        "deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,",
    ),
    ("/proc/sys/vm/panic_on_oom", "w", "deny @{PROC}/sys/[^k]** w,"),
    ("/sys/kernel/uevent_helper", "w", "deny /sys/[^f]*/** wklx,"),
    ("/sys/kernel/security/apparmor/.remove", "w", "deny /sys/kernel/security/** rwklx,"),
    ("/sys/firmware/efi/efivars/x", "w", "deny /sys/firmware/** rwklx,"),
    (
        "/sys/devices/virtual/powercap/intel-rapl/energy_uj",
        "r",
        "deny /sys/devices/virtual/powercap/** rwklx,",
    ),
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    access = subject.access()
    opened = []
    for path, permission, deny in _PROBES:
        rule = access.deciding(path, permission)
        if rule is not None:
            opened.append((path, permission, deny, rule))
    if not opened:
        return
    paths = ", ".join(
        f"`{path}` ({'write' if permission == 'w' else 'read'})"
        for path, permission, _, _ in opened[:3]
    )
    more = f" and {len(opened) - 3} more" if len(opened) > 3 else ""
    yield at_value(
        META,
        opened[0][3].value,
        f"`{opened[0][3].value.value},` allows, and no deny takes back, {paths}{more}",
        ", ".join(path for path, _, _, _ in opened),
        remedies=(
            Remedy(
                "deny them as docker's own profile does",
                safe=False,
                changes=tuple(Add("rules", deny) for _, _, deny, _ in opened),
                caution="programs that tune the kernel from inside stop working",
            ),
        ),
    )
