"""The profile allows sockets of every family.

## What it is

`socket` is allowed without a condition on its first argument, the family, so that AF_ALG (38) and
AF_VSOCK (40) are open.

## Why it is bad

AF_ALG hands data of any process to the kernel's crypto code, a steady source of exploits
(CVE-2026-31431 gave root from inside a container). AF_VSOCK reaches services of the hypervisor,
such as those of Docker Desktop and of cloud machines, past every network filter:

    socket(AF_ALG, SOCK_SEQPACKET, 0)

Two conditions on the family in *one* rule are no condition: runc makes a rule of each.

## What to do instead

Three rules, one for each range that is left:

    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_LT"}]},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 39, "op": "SCMP_CMP_EQ"}]},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_GT"}]}

## Under gVisor

gVisor has neither family. It ignores the profile unless `oci-seccomp` is on.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://man7.org/linux/man-pages/man7/vsock.7.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-socket-unfiltered",
    summary="the profile allows sockets of every family",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the families AF_ALG and AF_VSOCK reach the kernel's crypto code and the hypervisor",
)

_FAMILIES = {"AF_ALG": 38, "AF_VSOCK": 40}
_RANGES = (("38", "LT"), ("39", "EQ"), ("40", "GT"))


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.is_denylist():
        return
    outcomes = {family: subject.decide("socket", {0: at}) for family, at in _FAMILIES.items()}
    opened = [family for family, outcome in outcomes.items() if outcome.is_open]
    if not opened:
        return
    outcome = outcomes[opened[0]]
    if outcome.name is None or outcome.rule is None:
        return
    split = outcome.rule.is_split()
    because = ": runc takes two conditions on one argument for alternatives" if split else ""
    plain = not outcome.rule.args
    rules = [
        Add(
            "syscalls",
            '{"names": ["socket"], "action": "SCMP_ACT_ALLOW", '
            f'"args": [{{"index": 0, "value": {value}, "op": "SCMP_CMP_{operator}"}}]}}',
        )
        for value, operator in _RANGES
    ]
    yield at_value(
        META,
        outcome.name,
        f"`socket` may be of the family {' and '.join(opened)}{because}",
        ", ".join(opened),
        remedies=(
            Remedy(
                "allow every family but AF_ALG and AF_VSOCK",
                safe=False,
                changes=(Remove(outcome.name), *rules),
                caution="crypto by the kernel and guest agents of virtual machines stop working",
            ),
        )
        if plain
        else (),
    )
