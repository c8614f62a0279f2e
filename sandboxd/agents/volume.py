"""The volume with an agent's program: named by a digest of its packages, mounted read-only."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from sandboxd.agents.agent import digest
from sandboxd.model.labels import PROGRAM as LABEL

if TYPE_CHECKING:
    from sandboxd.agents.agent import Agent

PREFIX = "sandboxd-program-"
TARGET = "/opt/sandboxd/agent"
"""The path of the volume inside."""


def name(agent: Agent) -> str:
    """The name of the volume for this machine's architecture; '' where the agent has no packages for it."""
    packages = agent.of_machine(platform.machine())
    return f"{PREFIX}{agent.name}-{digest(packages)}" if packages else ""


def label(agent: Agent) -> str:
    """The volume's label, `NAME=VALUE`."""
    packages = agent.of_machine(platform.machine())
    return f"{LABEL}={agent.name} {' '.join(f'{each.name}@{each.version}' for each in packages)}"


def program(agent: Agent, machine: str = "") -> str:
    """The path of the program inside; without packages, the name of a program in the image.

    :param machine: the processor architecture, as `uname -m` names it; '' for this machine's
    """
    packages = agent.of_machine(machine or platform.machine())
    own = next((each.program for each in packages if each.program), agent.program)
    return f"{TARGET}/{own}" if packages else own
