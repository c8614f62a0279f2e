"""Setuid programs may raise privileges.

## What it is

The security option `no-new-privileges` is not set. It is off by default.

## Why it is bad

A process that runs as a normal user can become root inside with any setuid program that is in
the image: `sudo`, `su`, `mount`, or one with a bug (CVE-2021-4034, CVE-2025-32463). Root inside
is one kernel bug away from root outside, and it owns what the workspace's mounts allow it to.

    pkexec /bin/sh    # on an image with an old polkit

## What to do instead

Add it to `securityOpt`, which is applied after `runArgs` and so wins:
`"securityOpt": ["no-new-privileges=true"]`. Install packages when the image is built rather than
with `sudo` in a hook.

It is a hint, since nearly no config has it and by itself its absence opens nothing.

## Under gVisor

gVisor ignores the setuid bit unless it is started with `--allow-suid`. The option costs nothing
there and holds if the runtime changes.
Seen with runsc 20240729, which does not have that option.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#security-opt
- https://docs.kernel.org/userspace-api/no_new_privs.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="no-new-privileges-missing",
    summary="setuid programs may raise privileges",
    severity=Severity.HINT,
    since="0.1.0",
    why="a normal user inside becomes root through `sudo` or a setuid program with a bug",
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if subject.option("no-new-privileges") is not None or not subject.is_whole():
        return
    yield at_container(
        META,
        subject,
        "`no-new-privileges` is not set: setuid programs raise privileges",
        "no-new-privileges",
        (
            Remedy(
                "add `no-new-privileges=true`",
                safe=False,
                changes=(Add("security_opt", "no-new-privileges=true"),),
                caution="`sudo` inside the container stops working",
            ),
        ),
    )
