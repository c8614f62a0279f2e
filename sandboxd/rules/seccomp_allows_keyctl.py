"""The profile allows the kernel keyring.

## What it is

`keyctl`, `add_key` or `request_key` is allowed.

## Why it is bad

Keyrings belong to a user id, not to a container. Root in a container without user namespaces is
the root that keeps Kerberos tickets, disk keys and session keys on the host. The calls have had
bugs of their own (CVE-2016-0728), and `request_key` starts a program on the host:

    keyctl show @u

Docker's own list has none of them.

## What to do instead

Take the names off the list. Programs fall back to files.

## Under gVisor

gVisor answers system calls itself and ignores the profile, unless `oci-seccomp` is on. A profile is
no control there for what an editor or `exec` starts.
Seen with runsc 20240729; release-20260817 filters those as well.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://nvd.nist.gov/vuln/detail/CVE-2016-0728
- https://man7.org/linux/man-pages/man7/keyrings.7.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._seccomp import open_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-allows-keyctl",
    summary="the profile allows the kernel keyring",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the keyring is not separated by container: keys of the host may be read and used",
)

_CALLS = (
    "keyctl",
    "add_key",
    "request_key",
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    yield from open_calls(
        META,
        subject,
        _CALLS,
        "the keyring is shared with the host",
        "Kerberos and e4crypt keep no keys in the kernel",
    )
