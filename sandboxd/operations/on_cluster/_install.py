"""Installs an agent's program in its Pod: fetched there, through the gateway, before any file of the workspace arrives.

During the installation the gateway lets only the package registry through, and afterwards the names of the plan.
"""

from __future__ import annotations

import os
import platform
import secrets
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.kubernetes import running
from sandboxd.backends.kubernetes.work import inside
from sandboxd.engine.payload import interpreter, programs
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.folders import cache_folder
from sandboxd.life import program_volume
from sandboxd.operations import _program

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.agents.agent import Agent
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.egress.policy import Rule


class Program(NamedTuple):
    """A program to install in a new Pod."""

    rules: tuple[Rule, ...]
    """The names that the gateway lets through while it is installed."""
    bring: Callable[[Callable[[str], None]], None]
    """Installs it; its argument is called with each step.

    :raises EnvironmentFailure: it cannot be fetched, or has another digest
    """


def program_of(target: Target, agent: Agent) -> Program | None:
    """The program of `agent`; None if its image contains it.

    :raises UsageError: the policy forbids the registry
    """
    if not agent.packages:
        return None
    folder = program_volume.folder(agent, target.environ)
    rights, _ = _program.network(agent, target.environ, folder)
    return Program(rights.policy.rules, lambda say: _bring(target, agent, say))


def machine_of(target: Target) -> str:
    """The architecture of the Pod's node, as `uname -m` in the Pod writes it."""
    _, output = running.quietly(target.cluster, target.pod, ["uname", "-m"])
    return output.strip()


def _bring(target: Target, agent: Agent, say: Callable[[str], None]) -> None:
    machine = machine_of(target)
    if not agent.of_machine(machine):
        raise UsageError(
            f"`{agent.title}` has no package for the cluster's kind of machine, `{machine[:20]}`",
            f"add one to a file of your own, beside `{agent.name}.toml` of those that ship",
        )
    say(f"fetching `{agent.title}`")
    source = programs.source_of("unpack")
    text = programs.with_task(source, program_volume.task(agent, machine, target.environ))
    command, data = ["python3", "-I", "-S", "-"], text
    if machine == platform.machine():
        modules = programs.imported_by([source])
        data = interpreter.archive(text, modules, cache_folder(os.environ))
        command = ["sh", "-c", interpreter.SCRIPT, "sh", f"sandboxd-{secrets.token_hex(8)}"]
    report = program_volume.Report(agent, lambda line, _passing: say(line))
    try:
        code = inside(target)(command, data, program_volume.LIFE_SECONDS, report.write)
    except TimeoutError:
        raise EnvironmentFailure(
            f"`{agent.title}` was not fetched within {program_volume.LIFE_SECONDS // 60} minutes",
            "run it again",
        ) from None
    if code in interpreter.REASONS:
        raise EnvironmentFailure(
            f"`{agent.title}` is not installed: {interpreter.REASONS[code]}",
            f"name another image: `sandboxd agent {agent.name} --image IMAGE`",
        )
    report.result()
