"""The volume that keeps an agent's program: named after the program's content, mounted read-only."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from sandboxd.agents.agent import digest
from sandboxd.model.labels import PROGRAM as LABEL

if TYPE_CHECKING:
    from sandboxd.agents.agent import Agent

PREFIX = "sandboxd-program-"
TARGET = "/opt/sandboxd/agent"
"""The folder of the volume inside a sandbox."""


def name(agent: Agent) -> str:
    """The name of the volume on this machine's architecture; '' where the agent has no packages for it."""
    packages = agent.of_machine(platform.machine())
    return f"{PREFIX}{agent.name}-{digest(packages)}" if packages else ""


def label(agent: Agent) -> str:
    """The volume's label, `NAME=VALUE`."""
    packages = agent.of_machine(platform.machine())
    return f"{LABEL}={agent.name} {' '.join(f'{each.name}@{each.version}' for each in packages)}"


def program(agent: Agent, machine: str = "") -> str:
    """The path of the program inside, or its name in the image.

    :param machine: the kind that it runs on, as `uname -m` calls it; '' for that of this one
    """
    packages = agent.of_machine(machine or platform.machine())
    own = next((each.program for each in packages if each.program), agent.program)
    return f"{TARGET}/{own}" if packages else own
