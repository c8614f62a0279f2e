"""The image runs as root, and nothing names another user.

## What it is

No `remoteUser`, no `containerUser`, and the image is known to run as root. Where nobody asked an
engine about the image, this rule says nothing.

## Why it is bad

Everything that the editor starts is root inside; see remote-user-root.

## What to do instead

`"remoteUser": "NAME"` with a user of the image, or `USER` in the Dockerfile.

## Under gVisor

Root there is root of gVisor's kernel only.
Seen with runsc 20240729.

## References

- https://containers.dev/implementors/json_reference/#remoteuser
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._users import effective_user, is_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="runs-as-root",
    summary="the image runs as root, and nothing names another user",
    severity=Severity.HINT,
    since="0.1.0",
    why="everything that the editor starts has all capabilities of the container",
    needs=(Field("image_user"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    image_user = subject.image_user
    if image_user is None or effective_user(subject) is not None:
        return
    if image_user.value and not is_root(image_user.value):
        return
    yield at_value(
        META, image_user, "the image runs as root, and nothing names another user", "root"
    )
