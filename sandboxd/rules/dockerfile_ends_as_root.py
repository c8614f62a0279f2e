"""The image's user is root.

## What it is

The last stage of a Dockerfile ends with `USER root`, or has no `USER` at all and so keeps that of its
base image, which mostly is root. `USER $NAME` is the user that `ARG` or `ENV` gives the name; where
neither gives one, whoever builds the image may, and an empty name is root. Where the base image may
set the variable, nothing is said.

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

- https://github.com/GoogleContainerTools/distroless#what-images-are-available
- https://docs.docker.com/build/building/best-practices/#user
- https://containers.dev/implementors/json_reference/#remoteuser
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.image import resolve
from sandboxd.model.image_variables import steps
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
    last, user, is_given = None, "", False
    for instruction, scope in steps(subject, stage):
        if instruction.keyword == "USER" and instruction.words():
            last = instruction.words()[0]
            user = resolve(last.value, scope).partition(":")[0]
            is_given = any(scope.get(name, "") is None for name in _unknown(user))
    base = subject.lineage(stage)[0].base or stage.base
    if last is None:
        if _is_nonroot(base.value):
            return
        message = f"no `USER` is set: the image runs as whom `{readable(stage.base.written)}` says, mostly root"
        yield at_value(META, stage.base, message, "no user")
        return
    value = subject.value(last.value, last.span, last.value, "USER")
    if not _unknown(user):
        if not user or is_root(user):
            yield at_value(META, value, "the image ends as root", "root")
    elif is_given or _is_official(base.value):
        message = f"`{readable(last.value)}` is root where the build names nobody"
        yield at_value(META, value, message, last.value)


def _is_nonroot(image: str) -> bool:
    """Whether an image is one of distroless whose tag says that its user is not root (`debug-nonroot-arm64`)."""
    name, _, tag = image.partition("@")[0].rpartition(":")
    return name.startswith("gcr.io/distroless/") and "nonroot" in tag.split("-")


def _is_official(image: str) -> bool:
    """Whether an image is empty or of Docker's own library, none of which sets a variable for `USER`."""
    return "/" not in image.removeprefix("docker.io/").removeprefix("library/") and "$" not in image


def _unknown(text: str) -> list[str]:
    """The names of the variables in `text` whose values are not known."""
    return re.findall(r"\$\{([A-Za-z_]\w*)", text)
