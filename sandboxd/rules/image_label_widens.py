"""The image brings settings that weaken the container.

## What it is

The image of a devcontainer.json, of its Compose service, or the one that its Dockerfile starts
from has a metadata label that is known to widen what is created from it: Microsoft's `cpp`, `go`
and `rust` images switch seccomp off, `universal` makes the container privileged. Labels of
images that an engine was asked about are judged setting by setting, each under the rule of its
own.

## Why it is bad

The dev container CLI merges the label into the configuration, behind `runArgs`, so that it wins
over `--security-opt` there. Nothing of it stands in the file that is reviewed.

    docker inspect -f '{{.HostConfig.SecurityOpt}}' ...    # [seccomp=unconfined]

## What to do instead

Say it in top-level `securityOpt`, which comes last: `"securityOpt": ["seccomp=PROFILE"]`. Or
take the `base` image and install the tools; debuggers need neither. Or build from the image with
an empty label: a `LABEL` in the project's own Dockerfile does not count, since the CLI reads
that of the base. None of these can be written as a fix, so there is none.

## Under gVisor

What only concerns the host's kernel is a hint.
Seen with runsc 20240729.

## References

- https://containers.dev/implementors/reference/#labels
- https://github.com/devcontainers/images
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity, Skipped
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Mentions
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container


# Metadata labels of well-known images, so that a check without an engine knows them. Read in the sources of
# the images (devcontainers/images at bed3eb26, July 2026): their own settings and those of the Features
# that they are built with.
_MICROSOFT = ("mcr.microsoft.com/devcontainers/", "mcr.microsoft.com/vscode/devcontainers/")
_DEBUGGER = "adds SYS_PTRACE and switches the seccomp filter off"
_EFFECTS = {
    "cpp": _DEBUGGER,
    "go": _DEBUGGER,
    "rust": _DEBUGGER,
    "universal": "makes the container privileged, for Docker inside, and switches the seccomp filter off",
    "jekyll": "",
    "anaconda": "",
    "base": "",
    "dotnet": "",
    "dotnetcore": "",
    "java": "",
    "java-8": "",
    "javascript-node": "",
    "miniconda": "",
    "php": "",
    "python": "",
    "python-3": "",
    "python-3-miniconda": "",
    "ruby": "",
    "typescript-node": "",
}


def effect(image: str) -> str | None:
    """The protection that the label of an image removes, '' for none; None where that is not known."""
    for prefix in _MICROSOFT:
        if image.startswith(prefix):
            name = image[len(prefix) :].partition("@")[0].partition(":")[0]
            return _EFFECTS.get(name)
    return None


def may_have_label(image: str) -> bool:
    """Whether an image's name shows that it was made for dev containers, so that it has a label."""
    return "devcontainer" in image.partition("@")[0].rpartition(":")[0].lower() or (
        ":" not in image and "devcontainer" in image.lower()
    )


META = RuleMeta(
    id="image-label-widens",
    summary="the image brings settings that weaken the container",
    severity=Severity.ERROR,
    since="0.1.0",
    why="its label is merged behind `runArgs`, and nothing of it stands in the file",
    needs=(Mentions("base_image", "devcontainer"),),
)


_REACH = "a bug anywhere in the kernel is in reach of code inside"


def check(subject: Container, host: HostFacts) -> Iterator[Finding | Skipped]:
    image = subject.base_image
    if image is None or subject.place is None or subject.image_label is not None:
        return
    what = effect(image.value)
    if what is None:
        if may_have_label(image.value) and subject.image_user is None:
            yield Skipped(
                subject.place.path,
                f"what the label of `{image.value}` adds is not known",
                f"`docker image inspect {image.value}` shows its label `devcontainer.metadata`",
            )
        return
    if not what or _says_otherwise(subject, what):
        return
    privileged = what.startswith("makes")
    yield at_value(
        META,
        image,
        f"the label of this image {what}: "
        + ("root inside mounts the host's disks" if privileged else _REACH),
        image.value.partition("@")[0].rpartition("/")[2],
        kernel_severity(
            subject,
            host,
            Severity.ERROR if privileged else Severity.WARNING,
            Severity.WARNING if privileged else Severity.HINT,
        ),
    )


def _says_otherwise(container: Container, what: str) -> bool:
    """True if the file overrides the label, or says the same itself, where another rule reports it.

    A profile in top-level `securityOpt` comes behind the label's options and so wins.
    """
    if what.startswith("makes"):
        return container.is_privileged()
    profile = container.option("seccomp")
    return profile is not None and (
        profile.origin.key == "securityOpt" or profile.value.value == "unconfined"
    )
