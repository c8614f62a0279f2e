"""The image's user is root.

## What it is

The last stage of a Dockerfile ends with `USER root`, or has no `USER` at all and so keeps that of its
base image, which mostly is root.

## Why it is bad

Who starts the image without naming a user is root inside: one kernel bug from root outside, and
files that it makes in the workspace belong to root on the host.

    FROM node:22
    RUN npm ci        # and no USER: the server runs as root

It is a hint, since the dev container tools and Compose can name another user, which cannot be seen
here.

## What to do instead

Create a user, and end with it: `RUN useradd -m dev` and `USER dev`.

## Under gVisor

Root inside is no root on the host. Owning the files of the workspace stays.
Seen with runsc 20240729.

## References

- https://docs.docker.com/build/building/best-practices/#user
- https://containers.dev/implementors/json_reference/#remoteuser
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._users import is_root
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-ends-as-root",
    summary="the image's user is root",
    severity=Severity.HINT,
    since="0.1.0",
    why="what is started without naming a user is one kernel bug from root on the host",
    needs=(Field("stages"),),
)


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    stage = subject.target()
    if stage is None or stage.base is None:
        return
    last = subject.last(stage, "USER")
    if last is not None and last.words():
        word = last.words()[0]
        if is_root(word.value):
            value = subject.value(word.value, word.span, word.value, "USER")
            yield at_value(META, value, "the image ends as root", "root")
        return
    message = f"no `USER` is set: the image runs as whom `{readable(stage.base.written)}` says, mostly root"
    yield at_value(META, stage.base, message, "no user")
