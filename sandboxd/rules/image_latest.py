"""The image has no fixed version.

## What it is

An image without a tag, or with `latest`, and without a digest: `image` of a devcontainer.json or a
Compose service, `FROM` of a Dockerfile.

## Why it is bad

Every build takes what the registry names `latest` at that time. Nobody reviewed it, two people on
a team work in different ones, and whoever takes over the publisher's account is inside at the
next build.

    FROM node    # yesterday Node 22, today 24, tomorrow somebody else's

It is a hint: a quarter of all projects do it, and by itself it opens nothing.

## What to do instead

Name a version, better with its digest, and let a bot update both:
`node:22-bookworm-slim@sha256:...`.

## Under gVisor

No difference: the image's code runs inside either way.

## References

- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._images import references
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.image import Image

META = RuleMeta(
    id="image-latest",
    summary="the image has no fixed version",
    severity=Severity.HINT,
    since="0.1.0",
    why="what is built changes without anybody having looked at it",
    needs=(Field("image"), Field("stages")),
)


def check(subject: Container | Image, host: HostFacts) -> Iterator[Finding]:
    for value, reference in references(subject):
        if reference.digest or reference.tag not in ("", "latest"):
            continue
        how = "names no version" if not reference.tag else "takes whatever is `latest`"
        yield at_value(META, value, f"`{value.written}` {how}", reference.name)
