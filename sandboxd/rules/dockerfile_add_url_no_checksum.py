"""A file is fetched into the image without a checksum.

## What it is

`ADD` with a URL and without `--checksum` in a Dockerfile.

## Why it is bad

The server decides at the time of the build what lands in the image. A checksum makes a change
stop the build.

    ADD https://example.com/tool /usr/local/bin/tool

Over plain `http` anybody on the way decides: that is a warning, else it is a hint.

## What to do instead

`ADD --checksum=sha256:... https://example.com/tool-1.2.3 /usr/local/bin/tool`; for a Git repository
name a commit.

## Under gVisor

No difference: the file's code runs inside either way.

## References

- https://docs.docker.com/reference/dockerfile/#add---checksum
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-add-url-no-checksum",
    summary="a file is fetched into the image without a checksum",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the server, or whoever is on the way to it, decides what lands in the image",
    needs=(Field("stages"),),
)

_COMMIT = r"\.git#[0-9a-f]{40}"


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for instruction in subject.instructions("ADD"):
        if next(instruction.flag("checksum"), None) is not None:
            continue
        for word in instruction.words()[:-1]:
            url = word.value.strip('[",')
            if not url.startswith(("http://", "https://")) or re.search(_COMMIT, url):
                continue
            severity = Severity.WARNING if url.startswith("http://") else Severity.HINT
            value = subject.value(url, word.span, url, "ADD")
            message = f"`{readable(url)}` is taken into the image as it comes"
            yield at_value(META, value, message, url, severity)
