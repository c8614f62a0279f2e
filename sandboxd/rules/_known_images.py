"""The metadata labels of well-known images, so that a check without an engine knows them.

Read in the sources of the images (devcontainers/images at bed3eb26, July 2026): their own settings
and those of the Features that they are built with.
"""

from __future__ import annotations

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
