"""The engine's user mapping is switched off for the container.

## What it is

`--userns=host` or Compose `userns_mode: host` on an engine with `userns-remap`. On an engine
without it has no effect, and this rule says nothing; where no engine was asked it is a hint.

## Why it is bad

With `userns-remap`, root inside is nobody outside: most escapes end there. This one line takes
that away for one container, whose root is the host's root again.

## What to do instead

Remove it. If the container has to write files of a host user, map that one id.

## Under gVisor

gVisor has its own users; it is a hint.
Not tried on a build.

## References

- https://docs.docker.com/engine/security/userns-remap/#disable-namespace-remapping-for-a-container
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._users import maps_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-userns",
    summary="the engine's user mapping is switched off",
    severity=Severity.WARNING,
    since="0.1.0",
    why="root inside is root outside again, on an engine that was set up to prevent it",
    needs=(Has("userns", "host"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.userns
    if value is None or value.value != "host":
        return
    message = "root of this container is root of the host, in spite of the engine's `userns-remap`"
    severity = kernel_severity(subject, host, Severity.WARNING, Severity.HINT)
    if host.engine is None:
        message = "on an engine with `userns-remap` root of this container is root of the host"
        severity = Severity.HINT
    elif host.engine.rootless or not maps_root(host):
        return
    yield at_value(
        META,
        value,
        message,
        "host",
        severity,
        (
            Remedy(
                "keep the mapping",
                safe=False,
                changes=(Remove(value),),
                caution="files of mounts get other owners",
            ),
        ),
    )
