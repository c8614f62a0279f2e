"""The profile allows sockets of every family.

## What it is

`socket` is allowed without a condition on its first argument, the family, so that AF_ALG (38) and
AF_VSOCK (40) are open.

## Why it is bad

AF_ALG hands data of any process to the kernel's crypto code, a steady source of exploits
(CVE-2026-31431 gave root from inside a container). AF_VSOCK reaches services of the hypervisor,
such as those of Docker Desktop and of cloud machines, past every network filter:

    socket(AF_ALG, SOCK_SEQPACKET, 0)

Two conditions on the family in *one* rule are no condition: runc makes a rule of each. And the kernel reads
32 bits of the family, a filter compares 64: `SCMP_CMP_NE` 40 and `SCMP_CMP_GT` 40 let 40 through with a bit
above these (CVE-2026-123876).

## What to do instead

Allow families from below, which no other bit passes:

    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_LT"}]}

## Under gVisor

gVisor has neither family. It ignores the profile unless `oci-seccomp` is on.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://man7.org/linux/man-pages/man7/vsock.7.html
- https://www.cve.org/CVERecord?id=CVE-2026-123876
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, Remove, RuleMeta, Severity
from sandboxd.model.seccomp import OPEN
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import Outcome, SeccompProfile, SeccompRule
    from sandboxd.model.values import Value

META = RuleMeta(
    id="seccomp-socket-unfiltered",
    summary="the profile allows sockets of every family",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the families AF_ALG and AF_VSOCK reach the kernel's crypto code and the hypervisor",
)

_FAMILIES = {"AF_ALG": 38, "AF_VSOCK": 40}
_INET = 2
_ABOVE_32_BITS = 1 << 32
_BELOW = (
    '{"names": ["socket"], "action": "SCMP_ACT_ALLOW", '
    '"args": [{"index": 0, "value": 38, "op": "SCMP_CMP_LT"}]}'
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.is_denylist():
        return
    plain = _opened(subject, 0)
    opened = plain or _opened(subject, _ABOVE_32_BITS)
    if not opened:
        return
    outcome = next(iter(opened.values()))
    if outcome.name is None or outcome.rule is None:
        return
    because = ""
    if not plain:
        because = ": the kernel reads 32 bits of it, the filter compares 64"
    elif outcome.rule.is_split():
        because = ": runc takes two conditions on one argument for alternatives"
    yield at_value(
        META,
        outcome.name,
        f"`socket` may be of the family {' and '.join(opened)}{because}",
        ", ".join(opened),
        remedies=(_remedy(subject, outcome.name, outcome.rule),),
    )


def _opened(subject: SeccompProfile, bits: int) -> dict[str, Outcome]:
    """The families that a program gets by setting `bits` beside them, each with what decided it."""
    outcomes = {name: subject.decide("socket", {0: at | bits}) for name, at in _FAMILIES.items()}
    return {family: outcome for family, outcome in outcomes.items() if outcome.is_open}


def _remedy(subject: SeccompProfile, name: Value[str], rule: SeccompRule) -> Remedy:
    others = [other for _, other in subject.by_name["socket"] if other is not rule]
    has_inet = any(other.action in OPEN and other.matches({0: _INET}) for other in others)
    return Remedy(
        "allow the families below AF_ALG",
        safe=False,
        changes=(Remove(name), *(() if has_inet else (Add("syscalls", _BELOW),))),
        caution="crypto by the kernel, guest agents of virtual machines, NFC, SMC and AF_XDP stop working",
    )
