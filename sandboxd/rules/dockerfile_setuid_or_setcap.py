"""A build step gives a program more rights than who starts it.

## What it is

`chmod u+s`, `chmod 4755` or `setcap` in a `RUN` of a Dockerfile.

## Why it is bad

Whoever runs inside as a normal user becomes what the file's owner is, mostly root, with one bug in
that program. Capabilities on a file do the same in smaller steps.

    RUN chmod u+s /usr/bin/find    # find . -exec sh -p \\; is root

With `no-new-privileges` on the container neither has an effect.

## What to do instead

Do the privileged step when the image is built. For one port below 1024 or one device, give the
container what it needs.

## Under gVisor

gVisor ignores the setuid bit unless it is started with `--allow-suid`.
Seen with runsc 20240729, which does not have that option.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://docs.kernel.org/userspace-api/no_new_privs.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._scripts import matches
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-setuid-or-setcap",
    summary="a build step gives a program more rights than who starts it",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a normal user inside becomes root through a bug in that program",
    needs=(Field("stages"),),
)

_RAISED = (
    r"\bchmod\s+(?:-\S+\s+)*(?:[ugoa]{0,3}u[ugoa]{0,3}\+[rwxXst]{0,4}s[rwxXst]{0,4}|\+s|0?[4-7][0-7]{3})"
    r"\s+[^\s;&|]+|\bsetcap\s+(?!-r\b)[^;&|\n]{1,300}"
)


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for match, value in matches(subject, _RAISED):
        verb = (
            "gives capabilities to a file"
            if match[0].startswith("setcap")
            else "sets the setuid bit"
        )
        yield at_value(META, value, f"`{readable(value.written)}` {verb}", value.written)
