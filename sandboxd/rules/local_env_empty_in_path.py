"""A variable that is not set leaves a path of the host's root.

## What it is

A mount whose source begins with `${localEnv:NAME}` where that variable is not set on this
machine: what is left begins with `/`.

## Why it is bad

`source=${localEnv:DATA}/` becomes `source=/`, the whole host. Most often it is a folder that
does not exist, or a system folder of that name. `HOME` is not set on Windows, `USERPROFILE`
nowhere else.

## What to do instead

Give a default, `${localEnv:DATA:/srv/data}`, or name both:
`${localEnv:HOME}${localEnv:USERPROFILE}`.

## Under gVisor

No difference: the path is on the host.

## References

- https://containers.dev/implementors/json_reference/#variables-in-devcontainerjson
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="local-env-empty-in-path",
    summary="a variable that is not set leaves a path of the host's root",
    severity=Severity.WARNING,
    since="0.1.0",
    why="an empty variable turns a folder of yours into one of the system",
    needs=(Mentions("mounts", "${localEnv:"), Mentions("mounts", "${env:")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount in subject.mounts:
        name, rest = _leading(mount.written)
        if mount.value.type != "bind" or not name or not rest.startswith("/"):
            continue
        if mount.value.source != rest:
            continue
        yield at_value(
            META,
            mount,
            f"`{name}` is not set here: `{rest}` of the host is mounted",
            name,
        )


def _leading(written: str) -> tuple[str, str]:
    """The last variable without a default that a path begins with, and what comes behind it."""
    name = ""
    while written.startswith(("${localEnv:", "${env:")):
        inner, closed, rest = written.partition("}")
        inner = inner.partition(":")[2]
        if not closed or ":" in inner:
            break
        name, written = inner, rest
    return name, written
