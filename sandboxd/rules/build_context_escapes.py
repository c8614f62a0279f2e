"""More than the project is sent to the build.

## What it is

A build context above the project, the root of the disk, or a URL: `build.context` of a
devcontainer.json, `build` of a Compose service, an additional context of either.

## Why it is bad

Everything in the context can be copied into the image by the Dockerfile of the repository, and
from there anywhere: other projects beside this one, the home with its keys. A URL brings in
instructions that nobody here reviewed.

    "build": { "context": "../.." }      # and in the Dockerfile: COPY .ssh /x

A relative path that leads up is a hint: it mostly ends within the same repository.

## What to do instead

The folder of the project or one below it, with a `.dockerignore`. Files from elsewhere by a copy in
the project, a package or a submodule.

## Under gVisor

No difference: images are built by BuildKit on the kernel of the host, whatever runtime the
container uses.

## References

- https://docs.docker.com/build/concepts/context/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Build, Container
    from sandboxd.model.values import Value

META = RuleMeta(
    id="build-context-escapes",
    summary="more than the project is sent to the build",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the Dockerfile can copy other projects and keys into the image, and send them away",
    needs=(Field("build"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if subject.build is None:
        return
    for value, path in _contexts(subject.build.value):
        if "://" in path or path.startswith("git@"):
            message = f"`{value.written}` is fetched and built without anybody having looked at it"
            yield at_value(META, value, message, path, Severity.WARNING)
            continue
        folder = canonical(path, host.home)
        if folder in ("/", "c:", "c:/", "~"):
            message = f"`{value.written}` sends the whole of `{folder}` to the build"
            yield at_value(META, value, message, folder, Severity.ERROR)
        elif subject.workspace is not None and _leaves(folder, subject.workspace, host):
            message = f"`{value.written}` sends more than the project to the build"
            is_relative = value.written.startswith(".")
            severity = Severity.HINT if is_relative else Severity.WARNING
            yield at_value(META, value, message, folder, severity)


def _contexts(build: Build) -> Iterator[tuple[Value[Any], str]]:
    if build.context is not None:
        yield build.context, build.context.value
    for option in build.options:
        path = option.value.value.partition("=")[2]
        # An additional context may be an image, which is fetched like any other.
        if option.value.name == "build-context" and path and not path.startswith("docker-image://"):
            yield option, path


def _leaves(folder: str, workspace: str, host: HostFacts) -> bool:
    """True if it is a folder outside of the project; a path with an unknown variable is not judged."""
    is_absolute = folder.startswith(("/", "~", "c:"))
    return (
        is_absolute and "$" not in folder and not lies_in(folder, canonical(workspace, host.home))
    )
