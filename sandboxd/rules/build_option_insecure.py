"""The build reaches further than a build.

## What it is

Options of the build that open the machine it runs on: `--allow=security.insecure`,
`--allow=network.host`, `--network=host`, `--ssh`, `--secret`, `--output` and others in `build.options`
of a devcontainer.json; `privileged`, `entitlements`, `network: host`, `ssh` below `build` of a Compose
service.

## Why it is bad

A build runs instructions of the repository on the kernel of the host. These options take away what
keeps them there (`security.insecure` is `--privileged` for a build step), put them on the host's
network, or hand them its SSH agent and its files.

    "build": { "dockerfile": "Dockerfile", "options": ["--allow=security.insecure"] }

## What to do instead

Remove the option. A private dependency: a token for that one repository by
`RUN --mount=type=secret`, given when the build is started and not in a file of the repository.

## Under gVisor

No difference: images are built by BuildKit on the kernel of the host, whatever runtime the
container uses.

## References

- https://docs.docker.com/reference/cli/docker/buildx/build/#allow
- https://docs.docker.com/reference/compose-file/build/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container, Pair
    from sandboxd.model.values import Value

META = RuleMeta(
    id="build-option-insecure",
    summary="the build reaches further than a build",
    severity=Severity.ERROR,
    since="0.1.0",
    why="instructions of the repository run privileged, on the host network, or with its keys",
    needs=(Field("build"),),
)

_WEAK = (
    ("allow", r"security\.insecure", Severity.ERROR, "lets build steps run privileged"),
    ("allow", r"network\.host", Severity.ERROR, "lets build steps onto the network of the host"),
    ("allow", r"device\b", Severity.WARNING, "lets build steps use devices of the host"),
    ("network", r"host\Z", Severity.ERROR, "builds on the network of the host"),
    ("security-opt", r"", Severity.WARNING, "changes the confinement of build steps"),
    ("ssh", r"", Severity.WARNING, "hands the SSH agent of the host to build steps"),
    ("secret", r"", Severity.WARNING, "hands a file or a variable of the host to build steps"),
    ("builder", r"", Severity.WARNING, "chooses the builder, with whatever that is allowed"),
    ("output", r"", Severity.WARNING, "writes the result of the build to the host"),
    ("o", r"", Severity.WARNING, "writes the result of the build to the host"),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for option in subject.build.value.options if subject.build is not None else ():
        name, written = option.value
        for key, pattern, severity, effect in _WEAK:
            if name == key and re.match(pattern, written):
                spelling = f"{name}={written}" if written else name
                yield at_value(
                    META,
                    option,
                    f"`{readable(spelling)}` {effect}",
                    spelling,
                    severity,
                    _remedies(option),
                )
                break


def _remedies(option: Value[Pair]) -> tuple[Remedy, ...]:
    return (
        Remedy(
            "build without it",
            safe=False,
            changes=(Remove(option),),
            caution="the build may need what it gives",
        ),
    )
