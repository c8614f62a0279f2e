"""The memory is not limited.

## What it is

No `--memory`, no Compose `mem_limit` or `deploy.resources.limits.memory`.

## Why it is bad

A build or a test that grows takes the memory of the machine, and the kernel ends whatever is
largest: often the editor or the browser.

## What to do instead

`--memory=8g --memory-swap=8g`, or what your machine can spare.

## Under gVisor

gVisor relies on the host's control groups for limits: no difference.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/containers/resource_constraints/
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
    id="memory-limit-missing",
    summary="the memory is not limited",
    severity=Severity.HINT,
    since="0.1.0",
    why="what grows inside ends programs of the host",
    needs=(Field("image"), Field("build")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if subject.image is None and subject.build is None:
        return
    if not subject.is_whole() or subject.memory is not None:
        return
    yield at_container(
        META, subject, "what grows inside takes the memory of the whole machine", "memory"
    )
