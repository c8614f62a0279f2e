"""A user of the image becomes root without a password.

## What it is

`NOPASSWD` in what a build step writes for `sudo`, for all commands or with a `*` in them.

## Why it is bad

A normal user inside is then root in all but name: whatever runs as that user, a dependency or an
agent, takes one word more.

    echo "vscode ALL=(root) NOPASSWD:ALL" > /etc/sudoers.d/vscode

Named commands without a wildcard are a hint: some of them (`apt-get`, `docker`, an editor) are root,
too.

## What to do instead

Install what is needed when the image is built, as root. For a step at start-up name the one script,
which the user must not be able to change: `vscode ALL=(root) NOPASSWD: /usr/local/bin/init-firewall.sh`.
With `no-new-privileges` on the container `sudo` does not work at all.

No fix is offered: the image may need the user's `sudo` while it is built.

## Under gVisor

`sudo` fails unless gVisor is started with `--allow-suid`.
Seen with runsc 20240729, which does not have that option.

## References

- https://www.sudo.ws/docs/man/sudoers.man/
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
    id="sudo-nopasswd",
    summary="a user of the image becomes root without a password",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whatever runs as that user, a dependency or an agent, is root with one word more",
    needs=(Field("stages"),),
)

_NOPASSWD = r"NOPASSWD:[ \t]*([^\s\"'>;&|][^\"'>;&|\n]{0,200})"


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for match, value in matches(subject, _NOPASSWD, "COPY", "ADD"):
        what = match[1].strip()
        line = readable(value.written)
        is_all = what.startswith("ALL") or "*" in what
        message = f"`{line}` lets its user run these as root without a password"
        if what.startswith("ALL"):
            message = f"`{line}` makes every program of its user root without a question"
        elif is_all:
            message = f"`{line}` lets its user choose what root runs"
        severity = Severity.WARNING if is_all else Severity.HINT
        yield at_value(META, value, message, " ".join(what.split()), severity)
