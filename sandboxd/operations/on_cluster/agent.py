"""Prepares an agent's session in a Pod: its program, its sandbox, and the files of its home."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.agents import run, volume
from sandboxd.backends.kubernetes import waiting
from sandboxd.backends.kubernetes.work import inside
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import agent_home, leftover
from sandboxd.operations.agent import command, fill, words_of
from sandboxd.operations.on_cluster import _install, _secrets
from sandboxd.operations.on_cluster.planning import planned
from sandboxd.operations.on_cluster.start import start
from sandboxd.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.operations.on_cluster.options import ClusterOptions
    from sandboxd.operations.on_cluster.started import Started
    from sandboxd.plan.grants import Grants


class Task(NamedTuple):
    """The agent's task. `text` is None for an interactive run; `more` are the user's own arguments for the agent."""

    text: str | None
    resume: bool
    more: Sequence[str]


class Ready(NamedTuple):
    """A running sandbox, and the command that starts the agent in it."""

    started: Started
    command: tuple[str, ...]
    env: tuple[str, ...]
    """Variables for the command, ``NAME=value``."""


def place_of(own: Session, target: Target) -> Session:
    """The session with a state folder of its own for this cluster, so that runs here and there are recorded separately.

    :raises EnvironmentFailure: the folder cannot be created
    """
    context = target.cluster.context
    digest = hashlib.sha256(f"{context.server}\n{context.namespace}".encode()).hexdigest()[:16]
    folder = os.path.join(own.folder, f"cluster-{digest}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot make the folder `{folder}`: {(error.strerror or '').lower()}",
            "make room, or set XDG_STATE_HOME to a folder that you can write",
        ) from None
    return own._replace(folder=folder)


def refuse_secrets(own: Session, environ: Mapping[str, str], *, keeps_secrets: bool) -> None:
    """Refuse a session that needs secrets on the cluster, unless user and policy allow them there.

    :param keeps_secrets: whether the user allows it
    :raises UsageError: a credential is required and the user did not allow it, or the policy minimum forbids it
    """
    if keeps_secrets:
        _secrets.require_allowed(environ)
        return
    config = Project.open(own.project, environ, own.name).config
    _secrets.require_none((setting.value for setting in config.credentials.required), environ)


def get_ready(
    target: Target,
    own: Session,
    agent: Agent,
    task: Task,
    options: ClusterOptions,
    grants: Grants,
    say: Callable[[str, bool], None],
) -> Ready:
    """Make the session's sandbox run on its cluster, with the agent's program in it.

    :param own: the session, as `place_of` returned it
    :param say: called with each step, and whether the next may replace it on a terminal
    :raises SandboxdError: that fails, or the agent cannot be started in this way
    """
    plan = planned(target, options, grants).plan
    words = words_of(plan, target.folder, can_ask=False)
    # Before anything is made: a file with a word that is not known starts nothing.
    command(agent, agent.program, words, task.text, task.resume, task.more)
    env = [f"{name}={fill(value, words)}" for name, value in agent.environment]
    files = [(path, fill(text, words)) for path, text in agent.files]
    started = start(target, options, grants, say, _install.program_of(target, agent))
    pod = waiting.require_running(target.cluster, target.pod)
    if options.keeps_secrets:
        _secrets.give(target, plan)
        env = [*_secrets.variables(plan, pod), *env]
    run_inside = inside(target)
    last = run.last(own)
    mark = last.mark if last is not None and started.how == "already running" else ""
    if mark and leftover.end(run_inside, mark):
        say("ended the agent that ran on after its last run was interrupted", False)
    home = agent_home.ensure(run_inside, agent)
    for path, text in files:
        agent_home.write(run_inside, home, path, text)
    machine = _install.machine_of(target) if agent.packages else ""
    program = volume.program(agent, machine)
    whole = command(agent, program, words, task.text, task.resume, task.more)
    return Ready(started, tuple(whole), (f"HOME={home}", *env))
