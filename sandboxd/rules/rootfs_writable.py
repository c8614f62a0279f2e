"""The container's own file system is writable.

## What it is

No `--read-only`, no `read_only: true`. That is the default, and nearly every dev container has
it.

## Why it is bad

Code that gets in can replace programs of the image, and stays until the container is made anew.

## What to do instead

`--read-only` with `--tmpfs=/tmp` and a home of its own; `sandboxd init --profile agent` makes
one that works. Without a writable home, hooks are skipped without a word.

## Under gVisor

No difference in what can be replaced inside.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#read-only
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_container
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="rootfs-writable",
    summary="the container's own file system is writable",
    severity=Severity.HINT,
    since="0.1.0",
    why="programs of the image can be replaced until the container is made anew",
    needs=(Field("image"), Field("build")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if subject.image is None and subject.build is None:
        return
    value = subject.read_only_rootfs
    if not subject.is_whole() or (value is not None and value.value):
        return
    yield at_container(
        META, subject, "programs of the image can be replaced from inside", "read-only"
    )
