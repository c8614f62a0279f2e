"""The image is built outside of the sandbox.

## What it is

The container runs under gVisor, and its image is built from a Dockerfile or gets Features.

## Why it is bad

`RUN` instructions and the `install.sh` of Features run under BuildKit and runc on the kernel of the
host, mostly as root. So the code of a stranger is outside of gVisor before the container exists.

    "runArgs": ["--runtime=runsc"], "build": { "dockerfile": "Dockerfile" }

## What to do instead

For code that you do not trust: build the image elsewhere (CI, a virtual machine), and name it by its
digest in `image`, without Features and with `"updateRemoteUserUID": false`.

## Under gVisor

This is about gVisor: without it there is no difference between the two.

## References

- https://gvisor.dev/docs/user_guide/faq/
- https://docs.docker.com/build/buildkit/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="build-not-sandboxed",
    summary="the image is built outside of the sandbox",
    severity=Severity.HINT,
    since="0.1.0",
    why="code of the repository runs on the kernel of the host before the container exists",
    needs=(Field("build"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if subject.build is not None and not shares_kernel(subject, host):
        message = "the image is built on the kernel of the host, not under gVisor"
        yield at_value(META, subject.build, message, "build")
