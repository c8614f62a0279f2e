"""`sandboxd agent --on`: an agent at work in a Pod, attended from here."""

from __future__ import annotations

import argparse
import contextlib
import os
from typing import TYPE_CHECKING

from sandboxd.backends.backend import Collected, CommandRequest
from sandboxd.backends.kubernetes.backend import KubernetesBackend
from sandboxd.cli import agent_attended, agent_epilogue, arguments, attend, progress
from sandboxd.cli.agent_attended import Door
from sandboxd.cli.on_cluster import starting
from sandboxd.operations.on_cluster import agent as operation
from sandboxd.operations.on_cluster.agent import Task
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.review import collect

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.backends.command import Attended
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.plan.grants import Grants


def place_of(where: Target, own: Session) -> Session:
    """The session as it is on that cluster, by whose folder its runs are known."""
    return operation.place_of(own, where)


def refuse_secrets(own: Session, args: argparse.Namespace) -> None:
    """:raises UsageError: a secret would have to go to the cluster, and may not"""
    operation.refuse_secrets(own, os.environ, keeps_secrets=args.secrets_on_cluster)


def task(text: str | None, resume: bool, more: list[str]) -> Task:
    """The task of the agent."""
    return Task(text, resume, more)


def work(
    where: Target,
    own: Session,
    agent: Agent,
    args: argparse.Namespace,
    what: Task,
    grants: Grants,
) -> int:
    """Have the agent work in the session `own` of `where` until it ends; its exit code."""
    # What `--image` names is in the session's config.
    options = arguments.chosen(
        args, ClusterOptions, image="", keeps_secrets=args.secrets_on_cluster
    )
    try:
        ready = operation.get_ready(
            where, own, agent, what, options, grants, progress.OneLine().say
        )
    finally:
        progress.clear()
    starting.announce(where, ready.started)
    starting.say_failure(ready.started)
    # However it ends: the connection has threads that would keep this process.
    backend = KubernetesBackend(where.cluster, where.environ)
    with contextlib.ExitStack() as stack:

        def run(env: list[str], *, tty: bool, stdin: bool, heard: Callable[[int], None]) -> int:
            def begin() -> Attended:
                request = CommandRequest(ready.command, where.directory, tty, stdin, env=env)
                command = backend.begin(where.workspace, where.name, request)
                stack.callback(command.close)
                return command

            return attend.run_begun(begin, ready.command[0], tty=tty, stdin=stdin, heard=heard)

        def changes() -> Collected:
            return collect(backend, where.workspace, name=where.name)

        door = Door(where.cluster.context.option, run, changes)
        ended = agent_attended.attend_until_end(
            own, agent, ready.env, door, has_terminal=what.text is None
        )
        agent_epilogue.conclude(own, agent, ended, door)
    return ended.code
