"""The container is used as root.

## What it is

`remoteUser`, or `containerUser`, `--user` or Compose `user` where there is no `remoteUser`, is
`root` or 0.

## Why it is bad

Everything the editor starts, extensions, hooks, agents and tests, is root inside. Files that it
creates in the workspace belong to root on the host, all capabilities of the container are in
use, and most kernel exploits are one step shorter.

    unshare -r; mount ...    # capabilities that an ordinary user inside does not have

## What to do instead

Name an ordinary user: Microsoft's images bring `vscode`, Node's `node`. In a Dockerfile of your
own: `RUN useradd -m dev` and `"remoteUser": "dev"`. Set-up that needs root belongs into the
Dockerfile.

## Under gVisor

Root there is root of gVisor's kernel only; it is a hint. The same goes for rootless engines and
for `userns-remap`.
Seen with runsc 20240729.

## References

- https://containers.dev/implementors/json_reference/#remoteuser
- https://docs.docker.com/engine/security/userns-remap/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._users import effective_user, is_root, maps_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="remote-user-root",
    summary="the container is used as root",
    severity=Severity.WARNING,
    since="0.1.0",
    why="everything that the editor starts has all capabilities of the container",
    needs=(Field("user"), Field("remote_user")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = effective_user(subject)
    # The last USER of a Dockerfile and the user of a Pod have rules of their own.
    if value is None or value.origin.kind == "dockerfile" or not is_root(value.value):
        return
    if subject.on_cluster:
        return
    severity = kernel_severity(subject, host, Severity.WARNING, Severity.HINT)
    if maps_root(host) or value.origin.key in ("user", "docker run"):
        # Compose, and a command of a script: what a service runs as is not what somebody works as.
        severity = Severity.HINT
    yield at_value(
        META,
        value,
        f"`{value.written}` is root: editor, hooks and tests run with every right there is inside",
        "root",
        severity,
    )
