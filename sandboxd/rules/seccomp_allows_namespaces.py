"""The profile lets everybody make namespaces.

## What it is

`unshare`, `setns` or `clone3` is allowed, or `clone` without a condition on its flags, in a list
that allows by name.

## Why it is bad

In a user namespace of its own a process holds every capability: over that namespace, yet towards
code of the kernel that only root was meant to reach. Most container escapes of the last years begin
so (CVE-2022-0185, CVE-2023-32233, CVE-2024-1086):

    unshare -Urn    # the same as clone(CLONE_NEWUSER | CLONE_NEWNET)

A list of names cannot tell a thread from a namespace: both are `clone`. It takes a condition on the
flags. Scorers that look at names alone grade such a list as good, and so does the guide that ships
one with a plain `clone`. Two conditions on the flags in *one* rule are no condition: runc makes a
rule of each.

## What to do instead

The three rules of docker's own list: `clone` only without the namespace flags, `clone3` answered
with ENOSYS (its flags lie behind a pointer, and programs then take `clone`), nothing for `unshare`
and `setns`:

    {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]},
    {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}

## Under gVisor

gVisor has namespaces of its own, which give nothing on the host. It ignores the profile unless
`oci-seccomp` is on.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://nvd.nist.gov/vuln/detail/CVE-2022-0185
- https://nvd.nist.gov/vuln/detail/CVE-2024-1086
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import Outcome, SeccompProfile

META = RuleMeta(
    id="seccomp-allows-namespaces",
    summary="the profile lets everybody make namespaces",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a user namespace of one's own opens code of the kernel that is meant for root",
)

_FLAGS = {
    "CLONE_NEWUSER": 0x10000000,
    "CLONE_NEWNS": 0x00020000,
    "CLONE_NEWNET": 0x40000000,
    "CLONE_NEWPID": 0x20000000,
    "CLONE_NEWIPC": 0x08000000,
    "CLONE_NEWUTS": 0x04000000,
    "CLONE_NEWCGROUP": 0x02000000,
}
_SIGCHLD = 17
_MASKED_CLONE = (
    '{"names": ["clone"], "action": "SCMP_ACT_ALLOW", '
    '"args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]}'
)
_UNKNOWN_CLONE3 = '{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}'
_CAUTION = "nested sandboxes (a browser's, bubblewrap, rootless podman) stop working"


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.is_denylist():
        return
    for call in ("clone", "clone3", "unshare", "setns"):
        flag, outcome = _first_open(subject, call)
        if outcome is None or outcome.name is None or outcome.rule is None:
            continue
        yield at_value(
            META,
            outcome.name,
            _message(call, flag, outcome),
            call,
            remedies=_remedies(subject, call, outcome),
        )


def _first_open(profile: SeccompProfile, call: str) -> tuple[str, Outcome | None]:
    """The first namespace that a call may make; the flags of `clone3` cannot be looked at."""
    for name, flag in _FLAGS.items():
        bits = flag if call == "unshare" else flag | _SIGCHLD
        outcome = profile.decide(call, {1: bits} if call == "setns" else {0: bits})
        if outcome.is_open:
            return name, outcome
    return "", None


def _message(call: str, flag: str, outcome: Outcome) -> str:
    if call == "clone3":
        return "`clone3` is allowed, and its flags lie where no filter can look: it makes any namespace"
    if call != "clone":
        return f"`{call}` is allowed: every process gets into other namespaces, {flag} included"
    if outcome.rule is not None and outcome.rule.is_split():
        return (
            f"`clone` may make namespaces ({flag}): runc takes two conditions on one argument "
            "for alternatives"
        )
    if outcome.rule is not None and outcome.rule.args:
        return f"`clone` may make namespaces: its condition lets {flag} pass"
    return f"`clone` without a condition on its flags makes namespaces, {flag} included"


def _remedies(profile: SeccompProfile, call: str, outcome: Outcome) -> tuple[Remedy, ...]:
    if outcome.name is None:
        return ()
    removal = Remove(outcome.name)
    if call in ("unshare", "setns"):
        return (Remedy(f"take `{call}` off the list", False, (removal,), _CAUTION),)
    if call == "clone3":
        title = "answer `clone3` with ENOSYS, on which programs take `clone`"
        return (Remedy(title, False, (removal, Add("syscalls", _UNKNOWN_CLONE3)), _CAUTION),)
    added = [Add("syscalls", _MASKED_CLONE)]
    if "clone3" not in profile.by_name:
        added.append(Add("syscalls", _UNKNOWN_CLONE3))
    title = "allow `clone` without the namespace flags only"
    return (Remedy(title, False, (removal, *added), _CAUTION),)
