"""Start an AI agent on a private copy of the project, in one command, and show what it changed.

`sandboxd agent claude` gives the agent this terminal. `sandboxd agent claude --print 'TASK'` is for scripts:
standard output then has what the agent prints and nothing else. All that follows `--` belongs to the agent. Without
a name it lists the agents, and the sessions on this project.

Its sandbox has profile `agent`: gVisor, a private copy of the project, and only the names and credentials that the
project's sandboxd.toml and the agent need, which you are asked about once. The agent asks for no confirmations: the
sandbox around it is the limit. The program comes from its maker's package, of one version and digest, and is kept
in a volume.

With `--on CONTEXT` it works in a Pod on a Kubernetes cluster, on a copy that goes there: docs/kubernetes.md.

The sandbox stays until `sandboxd down --name NAME`. With `--name` several agents work at the same time.

Any program of the image can be an agent, under a name of yours: `sandboxd agent tests -- make test`, and from then on
`sandboxd agent tests`. One with credentials, files and names of its own is a file in `agents/` of the config folder;
docs/start-agents.md shows one.
"""

from __future__ import annotations

import contextlib
import os
import sys

from sandboxd.cli import arguments, plain_arguments, where
from sandboxd.cli.commands import _grants, _sandbox
from sandboxd.errors import EXIT_OK, SandboxdError, UsageError
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.start_options import AgentOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.backends.kubernetes.target import Target

HELP = "an AI agent at work on a copy of the project"

NEEDS = arguments.needs(AgentOptions)
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _add_options(parser)
    parser.add_argument(
        "--json", action="store_true", help="without an agent's name: print the lists as JSON"
    )
    # One argument for both: as one of its own, an optional name would swallow the `--` behind it.
    parser.add_argument(
        "words",
        nargs=plain_arguments.REST,
        metavar="NAME -- ARGUMENT",
        help="the agent, such as `claude` or `codex`, and words for it, behind `--`; with a name of your own, any "
        "program of the image and its arguments",
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--project",
        metavar="DIR",
        default=".",
        help="the project's folder, or one below it (default: here)",
    )
    parser.add_argument(
        "--name", metavar="SESSION", help="the name of its sandbox (default: the agent's)"
    )
    parser.add_argument(
        "-p",
        "--print",
        dest="task",
        metavar="TASK",
        help="do this task without a terminal; `-` reads it from standard input",
    )
    arguments.add(parser, AgentOptions, "resume")
    _sandbox.add_on(parser)
    _sandbox.add_no_daemon(parser)
    arguments.add(parser, ClusterOptions, "runtime_class", "gateway_image", before="with --on: ")
    parser.add_argument(
        "--secrets-on-cluster",
        action="store_true",
        help="with --on: let the gateway there have the secrets that the agent needs, in memory: whoever may run "
        "commands in Pods of the namespace can read them",
    )
    parser.add_argument("--image", metavar="IMAGE", default="", help="the image of its sandbox")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="NAME",
        help="a name or group that it may reach as well, such as `pypi`; can be given more than once",
    )
    parser.add_argument(
        "--credential",
        action="append",
        default=[],
        metavar="NAME",
        help="a credential beside the agent's own, such as `github`, or another account of its own, such as "
        "`anthropic:work`; can be given more than once",
    )
    arguments.add(parser, AgentOptions, "build", "pull")
    parser.add_argument(
        "-y", "--yes", action="store_true", help="give what would be asked about, and show it"
    )
    arguments.add(parser, AgentOptions, "allow_runc")


def _read_words(args: argparse.Namespace) -> tuple[str | None, list[str]]:
    """The agent's name, None where there is none, and its own words; options between the two are taken up.

    :raises UsageError: an option is none of ours, two names stand before `--`, or none and words behind it
    """
    from sandboxd.cli._parser import Parser

    words: list[str] = args.words
    end = words.index("--") if "--" in words else len(words)
    parser = Parser(prog="sandboxd agent")
    _add_options(parser)
    parser.add_argument("agent", nargs="?", metavar="NAME")
    settled, args.on = args.on, None
    parser.parse_args(words[:end], namespace=args)
    if args.on is None and settled:
        # Typed before the name, or the file's word.
        args.on = settled
    where.check(args)
    args.on = args.on or ""
    more = words[end + 1 :]
    if args.agent is None and more:
        raise UsageError(
            "the words behind `--` have no agent before it", "`sandboxd agent` lists the agents"
        )
    return args.agent, more


def run(args: argparse.Namespace) -> int:
    from sandboxd.cli import agent_sessions

    name, more = _read_words(args)
    project = agent_sessions.project_of(_sandbox.folder(args))
    if name is None:
        return _list(project, as_json=args.json)
    if args.json:
        raise UsageError("`--json` lists agents and starts none", "leave it, or the name, out")
    from sandboxd.agents.session import Choices

    command = _program(name, more)
    choices = Choices(args.image, tuple(args.allow), tuple(args.credential), command)
    from sandboxd.agents import run as runs
    from sandboxd.agents import session

    before = session.recall(os.environ, project, args.name or name)
    is_new, image = before is None, before.choices.image if before is not None else ""
    own, agent = agent_sessions.make(project, name, args.name or name, choices)
    if own.choices.command:
        more = [*own.choices.command[1:], *(more if not command else ())]
    with _forgets(own, is_new):
        target = _target(args, project, own.name)
        place = own
        if target is not None:
            from sandboxd.cli.on_cluster import agents

            place = agents.place_of(target, own)
    with runs.at_work(place):
        with _forgets(own, is_new):
            if target is not None:
                agents.refuse_secrets(own, args)
            if target is None or args.secrets_on_cluster:
                agent_sessions.require_secrets(own)
            agent_sessions.ask(own, agent, yes=args.yes)
        if target is None:
            return _work(own, agent, args, more, image)
        task = agents.task(_task(args.task), args.resume, more)
        return agents.work(target, place, agent, args, task, _grants.grants(args))


def _program(name: str, words: list[str]) -> tuple[str, ...]:
    """The program and its arguments that `words` are for a name that no agent has; () where they are not.

    :raises UsageError: the name cannot be one of the user's
    """
    from sandboxd.agents import catalog
    from sandboxd.model.sandbox_id import check_name

    if not words or words[0].startswith("-") or name in catalog.names(os.environ):
        return ()
    check_name(name)
    return tuple(words)


@contextlib.contextmanager
def _forgets(own: Session, is_new: bool) -> Iterator[None]:
    """Forget a new session where the block fails: nothing ran, so there is nothing to come back to."""
    from sandboxd.agents import session

    try:
        yield
    except SandboxdError:
        if is_new:
            session.forget(own)
        raise


def _work(
    own: Session, agent: Agent, args: argparse.Namespace, more: list[str], image_before: str
) -> int:
    from sandboxd.cli import agent_attended, agent_epilogue, agent_sessions

    options = arguments.chosen(
        args, AgentOptions, name=own.name, task=_task(args.task), more=tuple(more)
    )
    with agent_sessions.image_of_a_start(own, agent, image_before):
        ready = agent_sessions.get_ready(own, options, starts_daemon=not args.no_daemon)
    door = agent_attended.here(own, ready["command"])
    has_terminal = args.task is None
    ended = agent_attended.attend_until_end(
        own, agent, ready["env"], door, has_terminal=has_terminal
    )
    agent_epilogue.conclude(own, agent, ended, door)
    return ended.code


def _target(args: argparse.Namespace, project: str, name: str) -> Target | None:
    """The sandbox on the cluster that is meant; None for this machine."""
    from sandboxd.cli.on_cluster.options import refuse, refuse_here

    if not args.on:
        refuse_here(args, ("runtime_class", "gateway_image", "secrets_on_cluster"))
        return None
    # Most are typed behind the agent's name, where they are read only now.
    refuse(args, NEEDS)
    from sandboxd.operations.on_cluster.target import target

    return target(args.on, project, name, os.environ)


def _list(project: str, *, as_json: bool) -> int:
    from sandboxd.cli import agent_list

    if not as_json:
        return agent_list.show(project)
    import json

    print(json.dumps(agent_list.document(project), indent=2))
    return EXIT_OK


def _task(text: str | None) -> str | None:
    """:raises UsageError: it is empty"""
    if text == "-":
        text = sys.stdin.read()
    if text is not None and not text.strip():
        raise UsageError("the task is empty", "`--print 'TASK'`")
    return text
