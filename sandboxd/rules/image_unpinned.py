"""The image is not pinned by a digest.

## What it is

An image with a tag and without a digest: `image` of a devcontainer.json or a Compose service,
`FROM` of a Dockerfile.

## Why it is bad

A tag can be moved to another image at any time, by its publisher or by whoever holds the
publisher's account. A digest names the bytes.

    python:3.12    # is pushed again for every patch release, and may be pushed by anyone with the key

It is a hint: 95 % of all projects do it, and the tags of a trusted publisher are mostly fine.

## What to do instead

Add the digest behind the tag, and let a bot update both: `python:3.12@sha256:...`.

## Under gVisor

No difference: the image's code runs inside either way.

## References

- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
- https://docs.docker.com/dhi/core-concepts/digests/
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
    id="image-unpinned",
    summary="the image is not pinned by a digest",
    severity=Severity.HINT,
    since="0.1.0",
    why="a tag can be moved to another image at any time",
    needs=(Field("image"), Field("stages")),
)


def check(subject: Container | Image, host: HostFacts) -> Iterator[Finding]:
    for value, reference in references(subject):
        # Without a version there is something to do before a digest makes sense.
        if not reference.digest and reference.tag not in ("", "latest"):
            message = f"`{value.written}` is not pinned by a digest"
            yield at_value(META, value, message, f"{reference.name}:{reference.tag}")
