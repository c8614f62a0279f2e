"""Prepares an agent's session on a project: its program, its sandbox, and the files of its home."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.engine.interruption import Step, interruptible
from sandboxd.errors import UsageError
from sandboxd.operations import _plan
from sandboxd.operations.keeping import NOTHING_KEPT
from sandboxd.operations.start import start
from sandboxd.operations.start_options import AgentOptions, StartOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.engine.client import Engine
    from sandboxd.operations.request import Request
    from sandboxd.operations.started import Started, StartedDocument
    from sandboxd.plan.plan import Plan

NEEDS_FACTS = True

_WORD = re.compile(r"\$\{([a-z0-9.:-]+)\}")
_TAIL = ":tail"
"""A suffix in ``${WORD:tail}``: only the last 20 characters, by which Claude Code recognises an API key."""


class Ready(NamedTuple):
    """A running sandbox, and the command that starts the agent in it."""

    started: Started
    command: tuple[str, ...]
    env: tuple[str, ...]
    """Variables for the command, ``NAME=value``, beside those of the container."""


class ReadyDocument(TypedDict):
    """`Ready` as JSON."""

    started: StartedDocument
    command: list[str]
    env: list[str]


def serve(request: Request) -> Ready:
    """Prepare a session on the project at `request.directory`, with `AgentOptions`.

    :raises UsageError: there is no such session, or its config needs a grant that was not given
    :raises EnvironmentFailure: the program cannot be fetched, the sandbox cannot be started, or the image lacks what
        the agent needs
    """
    from sandboxd.agents import catalog, volume
    from sandboxd.agents.session import recall
    from sandboxd.life import agent_home
    from sandboxd.life.pull import pull_missing
    from sandboxd.plan.grants import Grants
    from sandboxd.review.collect import inside_of

    options = request.read_options(AgentOptions)
    own = recall(request.environ, request.directory, request.name)
    if own is None:
        raise UsageError(
            f"no agent has a session `{request.name}` on `{request.directory}`",
            "`sandboxd agent NAME` starts one",
        )
    agent = catalog.of_session(own, request.environ)
    # Before anything is fetched or started for it.
    own_words(agent, options.task, options.resume)
    environ = request.environ_of_caller()
    plan, host, _ = _plan.for_start(
        request.directory, environ, Grants(allow_runc=options.allow_runc), request.facts, own.name
    )
    engine = interruptible(request.engine, request.cancel)
    if options.pull:
        pull_missing(engine, plan, environ, request.progress, request.cancel)
    _require_image(engine, plan)
    _install(engine, agent, plan, environ, request)
    started = start(
        engine,
        request.directory,
        environ,
        StartOptions(
            name=own.name,
            allow_runc=options.allow_runc,
            build=options.build,
            hooks_in_short=True,
        ),
        request.keeping._replace(wait_for_ports=NOTHING_KEPT.wait_for_ports),
        facts=lambda: host,
        progress=request.progress,
        cancel=request.cancel,
    )
    _end_last_run(engine, started.container, own, request)
    working_dir = plan.container.working_dir
    folder = working_dir.value if working_dir is not None else "/"
    words = words_of(plan, folder, can_ask=plan.egress is not None)
    inside = inside_of(engine, started.container)
    home = agent_home.ensure(inside, agent)
    for path, text in agent.files:
        agent_home.write(inside, home, path, fill(text, words))
    whole = command(
        agent,
        volume.program(agent),
        words,
        options.task,
        options.resume,
        options.more,
    )
    env = (f"{name}={fill(value, words)}" for name, value in agent.environment)
    return Ready(started, tuple(whole), (f"HOME={home}", *env))


def _require_image(engine: Engine, plan: Plan) -> None:
    """Refuse to begin without the image, before a program of hundreds of MiB is fetched.

    One that has to be built is built by the start, from what was agreed to.

    :raises EnvironmentFailure: the engine has no such image
    """
    from sandboxd.plan.writers.engine import arguments

    if plan.recipe is None:
        engine.image_id(arguments(plan)["Image"])


def _install(
    engine: Engine, agent: Agent, plan: Plan, environ: Mapping[str, str], request: Request
) -> None:
    """Install the agent's program into its volume, if it has packages.

    :raises UsageError: there is none for this machine, or the policy forbids the registry
    :raises EnvironmentFailure: it cannot be fetched
    """
    from sandboxd.agents import volume
    from sandboxd.life import program_volume
    from sandboxd.operations import _program

    if not agent.packages:
        return
    if not volume.name(agent):
        raise UsageError(
            f"`{agent.title}` has no package for this kind of machine",
            f"add one to a file of your own, beside `{agent.name}.toml` of those that ship",
        )
    runtime = plan.container.runtime
    folder = program_volume.folder(agent, environ)
    place = program_volume.Place(
        folder,
        (runtime.value or "") if runtime else "",
        *_program.network(agent, environ, folder),
    )
    program_volume.ensure(
        engine,
        agent,
        place,
        environ,
        lambda text, passing: request.progress(Step(text, passing)),
        request.cancel.check,
    )


def _end_last_run(engine: Engine, container: str, own: Session, request: Request) -> None:
    """End the processes of the session's last run whose client is gone.

    :raises EnvironmentFailure: they go on, or it cannot be known
    """
    from sandboxd.agents import run
    from sandboxd.life import leftover
    from sandboxd.review.collect import inside_of

    last = run.last(own)
    if last is None or not last.mark:
        return
    if leftover.end(inside_of(engine, container), last.mark):
        request.progress(Step("ended the agent that ran on after its last run was interrupted"))


def fill(text: str, words: Mapping[str, str]) -> str:
    """`text` with each ``${WORD}`` replaced by its value, and each ``${WORD:tail}`` by the value's last 20 characters.

    :param text: from an agent's definition
    :param words: the values by word
    :raises UsageError: there is no such word
    """

    def value(match: re.Match[str]) -> str:
        word = match[1]
        base = word.removesuffix(_TAIL)
        if base not in words:
            listed = ", ".join(f"`${{{each}}}`" for each in sorted(words))
            raise UsageError(f"the agent's file names `{match[0]}`", f"known here: {listed}")
        return words[base][-20:] if word.endswith(_TAIL) else words[base]

    return _WORD.sub(value, text)


def words_of(plan: Plan, folder: str, *, can_ask: bool) -> dict[str, str]:
    """The words that an agent's file may name, each with its value.

    :param folder: the path of the project inside
    :param can_ask: whether the sandbox has the program with which it asks for hosts to be allowed
    """
    from sandboxd.agents import instructions
    from sandboxd.credentials.uses import places
    from sandboxd.egress.sources import sources

    allowed = sources(plan.egress) if plan.egress is not None else ()
    return {
        "workspace": folder,
        instructions.WORD: instructions.text(folder, allowed, can_ask=can_ask),
        **places(plan.credentials, plan.workspace),
    }


def command(
    agent: Agent,
    program: str,
    words: Mapping[str, str],
    task: str | None,
    resume: bool,
    more: Sequence[str],
) -> list[str]:
    """The command line that starts the agent.

    :param program: the path of its program inside
    :param words: the values for ``${WORD}`` in the agent's arguments
    :param task: the task for a run without a terminal; None: an interactive run
    :param resume: whether it continues its last conversation
    :param more: the user's own arguments, added at the end
    :raises UsageError: the agent cannot be started in that way
    """
    from sandboxd.agents.agent import TASK

    # The task and the user's words are taken as they are.
    own = own_words(agent, task, resume)
    filled = [task or "" if word == TASK else fill(word, words) for word in own]
    return [program, *filled, *more]


def own_words(agent: Agent, task: str | None, resume: bool) -> Sequence[str]:
    """The agent's own arguments for such a start, with ``${WORD}`` still in them.

    :param task: the task for a run without a terminal; None: an interactive run
    :param resume: whether it continues its last conversation
    :raises UsageError: the agent cannot be started in that way
    """
    try:
        return agent.words(resume=resume, print_=task is not None)
    except LookupError:
        flags = ["`--print`"] * (task is not None) + ["`--resume`"] * resume
        raise UsageError(
            f"`{agent.name}` has no command for {' and '.join(flags)}",
            f"give its own words: `sandboxd agent {agent.name} -- ...`",
        ) from None
