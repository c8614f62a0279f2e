"""The build takes layers from a registry.

## What it is

`build.cacheFrom` or `--cache-from` with an image of a registry, or `cache_from` below `build` of a
Compose service.

## Why it is bad

Steps that the cache says were done are taken from there, not done: who can push the cache decides
what is in the image, whatever the Dockerfile says.

    "build": { "dockerfile": "Dockerfile", "cacheFrom": "registry.example/project/cache" }

## What to do instead

A cache that only your CI can write, from a branch that is reviewed. For releases: none.

## Under gVisor

No difference: the layers' code runs inside either way.

## References

- https://docs.docker.com/build/cache/backends/registry/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="build-cache-from-untrusted",
    summary="the build takes layers from a registry",
    severity=Severity.HINT,
    since="0.1.0",
    why="who can push the cache decides what is in the image",
    needs=(Field("build"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for option in subject.build.value.options if subject.build is not None else ():
        name, written = option.value
        if name == "cache-from" and "type=local" not in written and "type=gha" not in written:
            message = f"`{readable(written)}` decides what is in layers that are not built anew"
            yield at_value(META, option, message, written)
