"""The profile denies all networking, that with itself included.

## What it is

`deny network,`, or `deny network inet,`.

## Why it is bad

It looks like the strictest form of "no network". But it stops the loopback device, too: VS Code's
server, dev servers, debuggers and the proxy of an allowlist are all reached there, and a `deny` is
neither logged nor can it be taken back by another rule:

    Error: connect EACCES 127.0.0.1:3000

## What to do instead

Leave the network to the container's network settings (`--network=none` keeps loopback), and write
`network,` with `deny network raw,` and `deny network packet,`.

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

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-denies-network",
    summary="the profile denies all networking, that with itself included",
    severity=Severity.HINT,
    since="0.1.0",
    why="editors talk to their server in the container over its own loopback address",
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    for rule in subject.of("network"):
        if rule.deny and rule.rest in ("", "inet", "inet stream", "stream"):
            yield at_value(
                META,
                rule.value,
                f"`{rule.value.value},` stops connections to the container itself as well",
                rule.value.value,
                remedies=(
                    Remedy(
                        f"remove `{rule.value.value},`",
                        safe=False,
                        changes=(Remove(rule.value),),
                        caution="the network is as open as the container's settings make it",
                    ),
                ),
            )
