"""Everything that the tests use beside .venv, and what of it this machine lacks."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import NamedTuple

from tools import agents, audit, editors, second_opinion
from tools.engine import packages


class Package(NamedTuple):
    """A Debian package that tests use."""

    name: str
    shown_by: str
    """A program in the PATH, or a path (a pattern may stand in it), that shows that it is there."""
    marker: str
    """The pytest marker of the tests that cannot run without it, '' if they have none."""

    def is_there(self) -> bool:
        """Whether the machine has it, from whatever source."""
        return packages.shown_by(self.shown_by)


class Tool(NamedTuple):
    """Something that is installed below .dev or into the checkout: no root is needed for it."""

    name: str
    marker: str
    missing: Callable[[], bool]
    install: Callable[[], None]
    """:raises packages.InstallError: it cannot be downloaded or built"""
    needs: str = ""
    """The program that installs it, '' for Python's own means."""
    impossible: str = ""
    """Why this machine can never have it, '' if it can."""


class Lack(NamedTuple):
    """What tests will not find on this machine, and why; `markers` are those of the tests."""

    what: str
    why: str
    markers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


# The programs below /usr are copied into images, with the libraries that Debian has for them.
PACKAGES = (
    *(Package(name, program, "engine") for name, program in packages.REQUIRED.items()),
    *(
        Package(name, program, "gvisor" if name == "runsc" else "engine")
        for name, program in packages.OPTIONAL.items()
    ),
    Package("podman", "podman", "engine"),
    Package("nftables", "nft", "engine"),
    Package("rootlesskit", "rootlesskit", "engine"),
    Package("slirp4netns", "slirp4netns", "engine"),
    Package("passt", "pasta", "engine"),
    Package("uidmap", "newuidmap", "engine"),
    Package("bubblewrap", "bwrap", "engine"),
    Package("git", "git", ""),
    Package("procps", "pgrep", ""),
    Package("patch", "patch", ""),
    Package("gpg", "gpg", ""),
    Package("gpg-agent", "gpg-agent", ""),
    Package("apt-utils", "apt-ftparchive", ""),
    Package("openssl", "openssl", "engine"),
    Package("apparmor", "apparmor_parser", ""),
    Package("kubectl", "kubectl", ""),
    Package("golang-go", "/usr/bin/go", "engine"),
    Package("redis-server", "/usr/bin/redis-server", "engine"),
    Package("redis-tools", "/usr/bin/redis-cli", "engine"),
    Package("curl", "curl", ""),
    Package("wget", "wget", ""),
    Package("git-lfs", "git-lfs", "engine"),
    Package("mercurial", "hg", "engine"),
    Package("openssh-client", "ssh-agent", ""),
    Package("openssh-server", "/usr/sbin/sshd", "engine"),
    Package("postgresql", "/usr/lib/postgresql/*/bin/initdb", "engine"),
    Package("fish", "fish", "shell"),
    Package("zsh", "zsh", "shell"),
    Package("man-db", "man", "shell"),
    Package("mandoc", "mandoc", "shell"),
    Package("nodejs", "node", "node"),
    Package("npm", "npx", "node"),
    *(Package(name, shown_by, "editor") for name, shown_by in editors.APT.items()),
)

TOOLS = (
    *(
        Tool(
            each.title,
            "node" if each.npm else "editor",
            each.missing,
            each.install,
            "npm" if each.npm else "",
            each.impossible,
        )
        for each in editors.DOWNLOADS
    ),
    Tool(
        "Claude Code and Codex",
        "agents",
        lambda: platform.machine() == "x86_64" and bool(agents.lacks()),
        agents.install,
        "npm",
        "" if platform.machine() == "x86_64" else "they are tested on x86_64",
    ),
    Tool("cepheus", "engine", lambda: bool(second_opinion.missing()), second_opinion.install),
    Tool("pip-audit", "", lambda: bool(audit.missing()), audit.install),
)


def missing_packages() -> list[Package]:
    """Packages whose programs this machine does not have."""
    return [package for package in PACKAGES if not package.is_there()]


def missing_tools() -> list[Tool]:
    """Tools that are not installed, or whose lock has changed since."""
    return [tool for tool in TOOLS if tool.missing()]


def out_of_reach() -> list[Lack]:
    """What no installation brings: another kind of machine, another user."""
    lacks = []
    if os.environ.get("SANDBOXD_TEST_DOCKER_HOST"):
        pass
    elif platform.system() != "Linux":
        lacks.append(Lack("a Docker engine", "a private one needs Linux", ("engine", "gvisor")))
    elif os.geteuid() != 0:
        why = "a private one needs root, and yours is left alone: `sudo ./dev test`, or name one "
        why += "for tests: SANDBOXD_TEST_DOCKER_HOST"
        lacks.append(Lack("a Docker engine", why, ("engine", "gvisor")))
    return lacks
