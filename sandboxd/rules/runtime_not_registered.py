"""The engine has no such runtime.

## What it is

`--runtime=NAME` or Compose `runtime` with a name that the engine does not list.

## Why it is bad

The container does not start, and the quick way out is to leave the runtime away: then it runs on
the host's kernel.

    docker: Error response from daemon: unknown or invalid runtime name: runsc

## What to do instead

Install the runtime and register it: `sudo runsc install && sudo systemctl reload docker`.
`sandboxd doctor` says which ones there are and which of them work.

## Under gVisor

This is how gVisor is chosen.

## References

- https://gvisor.dev/docs/user_guide/quick_start/docker/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="runtime-not-registered",
    summary="the engine has no such runtime",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the container does not start, and people leave the runtime away",
    needs=(Field("runtime"),),
)


_SHIPPED = ("runc",)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value, engine = subject.runtime, host.engine
    if value is None or engine is None or not engine.runtimes or "$" in value.value:
        return
    if engine.runtime(value.value) is not None or value.value.startswith(("/", "io.containerd.")):
        return
    if value.value in _SHIPPED:
        return
    names = ", ".join(f"`{runtime.name}`" for runtime in engine.runtimes)
    yield at_value(
        META,
        value,
        f"the engine has no runtime `{value.value}`: it knows {names}",
        value.value,
    )
