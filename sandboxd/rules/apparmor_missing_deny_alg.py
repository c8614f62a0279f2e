"""The profile allows the kernel's crypto sockets.

## What it is

`network,` without `deny network alg,`.

## Why it is bad

An AF_ALG socket hands data of any process to the kernel's crypto code (CVE-2026-31431). A seccomp
profile stops it as well; this is the second lock, and the one that holds for 32-bit programs, which
make sockets by another system call:

    socket(AF_ALG, SOCK_SEQPACKET, 0)

## What to do instead

Add `deny network alg,`, or allow only the families that are used (`network inet, network unix,`).

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
    id="apparmor-missing-deny-alg",
    summary="the profile allows the kernel's crypto sockets",
    severity=Severity.HINT,
    since="0.1.0",
    why="the crypto sockets are a steady source of kernel exploits, and next to nothing uses it",
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    rules = subject.of("network")
    bare = [rule for rule in rules if not rule.deny and not rule.rest]
    if not bare or any(rule.deny and rule.rest.split()[:1] in ([], ["alg"]) for rule in rules):
        return
    yield at_value(
        META,
        bare[0].value,
        f"`{bare[0].value.value},` includes the kernel's crypto sockets (AF_ALG)",
        "alg",
        remedies=(
            Remedy(
                "add `deny network alg,`",
                safe=False,
                changes=(Add("rules", "deny network alg,"),),
                caution="programs that use the kernel's crypto stop working (`cryptsetup benchmark`)",
            ),
        ),
    )
