"""Questions and messages of `sandboxd agent` before an agent starts: what the agent is given."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.agents import catalog, config, session
from sandboxd.agents.session import Choices
from sandboxd.cli.images import start_with_images
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.files import project_root
from sandboxd.project import HAND_WRITTEN, Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Session
    from sandboxd.operations.agent import ReadyDocument
    from sandboxd.operations.start_options import AgentOptions
    from sandboxd.plan.granting import Wanted
    from sandboxd.policy.trust import Grant

DEFAULT_IMAGE = "mcr.microsoft.com/devcontainers/base:debian"


def project_of(folder: str) -> str:
    """The real path of the project that `folder` lies in: of its sandboxd.toml or its repository."""
    return project_root(os.path.realpath(folder))


def make(project: str, agent_name: str, name: str, choices: Choices) -> tuple[Session, Agent]:
    """The session `name` on `project`, with its config written as the project and the agent are now.

    :param choices: those that are empty stay as they were chosen before
    :raises UsageError: there is no such agent and no command was chosen, the session is another agent's, or a name to
        allow is none
    """
    _check_names(choices.allow)
    own = session.session(os.environ, project, agent_name, name)
    before = session.recall(os.environ, project, name)
    if before is not None:
        old = before.choices
        choices = Choices(
            choices.image or old.image,
            choices.allow or old.allow,
            choices.credentials or old.credentials,
            choices.command or old.command,
        )
    own = own._replace(choices=choices)
    agent = catalog.of_session(own, os.environ)
    _write(own, agent)
    return own, agent


@contextlib.contextmanager
def image_of_a_start(own: Session, agent: Agent, before: str) -> Iterator[None]:
    """Forget the image that a command chose for the session where the block, its start, fails: it may be misspelt.

    :param before: the image that was chosen before; '' for none
    """
    try:
        yield
    except SandboxdError:
        if own.choices.image != before:
            _write(own._replace(choices=own.choices._replace(image=before)), agent)
            terminal.status(f"`--image {own.choices.image}` is not remembered")
        raise


def _write(own: Session, agent: Agent) -> None:
    project = own.project
    has_image = any(os.path.lexists(os.path.join(project, path)) for path in HAND_WRITTEN)
    wishes = Project.open(project, os.environ).config._replace(workspace=project)
    default = "" if has_image else DEFAULT_IMAGE
    session.write(os.environ, own, config.config(agent, wishes, own.choices, default))


def _check_names(names: Iterable[str]) -> None:
    """:raises UsageError: one is neither a group nor a host; the session's config would be shown as the place of it"""
    from sandboxd.egress.entries import NotAnEntry, entry

    for name in names:
        try:
            entry(name)
        except NotAnEntry as error:
            raise UsageError(
                f"`{name}` of `--allow` {error}",
                "name a group, as `pypi`, or a host, as `api.example.org`",
            ) from None


def require_secrets(own: Session) -> None:
    """Name the command that adds a required credential whose secret is not known.

    :raises UsageError: a required credential has no known secret
    """
    from sandboxd.credentials import records, service

    wanted = Project.open(own.project, os.environ, own.name).config.credentials.required
    known = {record.name for record in records.load(os.environ)} if wanted else set()
    for setting in wanted:
        if setting.value not in known:
            kind = service.load(setting.value.service)
            raise UsageError(
                f"`{own.agent}` asks {kind.title}, and no secret of `{setting.value}` is known: {kind.secret}",
                f"`sandboxd credentials add {setting.value}` asks for it without showing it; then run this again",
            )


def ask(own: Session, agent: Agent, *, yes: bool) -> None:
    """Have the user agree to what the session is given beyond profile `agent`; an answer holds until it changes.

    It holds for other sessions of the same agent on the project, too, which are given no more.

    :param yes: the user agreed on the command line
    :raises UsageError: the user does not, nobody is here, or the policy forbids it
    """
    from sandboxd.policy import trust

    request = _request(own)
    held = trust.grants(os.environ)
    missing = [grant for grant in request.grants if grant not in held]
    if not missing:
        return
    if other := _agreed_for(own, request, held):
        terminal.status(f"`{own.name}` has no more than you agreed to for `{other}`")
    else:
        terminal.status(f"{agent.title} works on a copy of `{own.project}`, and is to have:")
        for line in request.lines:
            terminal.status(f"  {line}")
        if not yes and not _agrees():
            raise UsageError("nothing was given", "without it the agent cannot work")
    for grant in missing:
        trust.add(os.environ, grant)


def _request(own: Session) -> Wanted:
    """The grants that the session needs now, and what each gives away.

    :raises UsageError: its config is not valid, or the policy forbids grants
    """
    from sandboxd.plan.granting import wanted
    from sandboxd.policy import floor, trust

    project = Project.open(own.project, os.environ, own.name)
    request = wanted(
        project.grantee,
        project.config,
        project.profile,
        project.recipe(),
        floor.load(os.environ),
        project.hosts(),
    )
    # The image is that of the project, so a grant to build it is, too.
    grants = tuple(
        grant._replace(workspace=project.workspace) if grant.profile == trust.BUILD else grant
        for grant in request.grants
    )
    return request._replace(grants=grants)


def _agreed_for(own: Session, request: Wanted, held: tuple[Grant, ...]) -> str:
    """Another session of the same agent on the project that was granted all of `request`; '' for none.

    Of one session, not of several together: a secret and a name were not agreed to beside each other then.
    """
    for other in session.of_project(os.environ, own.project):
        if other.agent != own.agent or other.name == own.name:
            continue
        try:
            theirs = _request(other)
        except SandboxdError:
            continue
        is_granted = bool(theirs.grants) and set(theirs.grants) <= set(held)
        if is_granted and set(request.lines) <= set(theirs.lines):
            return other.name
    return ""


def _agrees() -> bool:
    """:raises UsageError: nobody is here to ask"""
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to agree", "look at the list, then add `--yes`")
    sys.stderr.write("give it that, until it changes? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def get_ready(own: Session, options: AgentOptions, *, starts_daemon: bool) -> ReadyDocument:
    """The running sandbox with the program in it, and the command that starts the agent.

    :param starts_daemon: as `through_daemon.operate`
    :raises SandboxdError: it cannot be started
    """
    ready: ReadyDocument = start_with_images(
        "agent", own.project, options, starts_daemon=starts_daemon
    )
    started = ready["started"]
    runtime = started["runtime"] or "the engine's default"
    terminal.status(f"{started['how']}: profile {started['profile']}, runtime {runtime}")
    for item in started["news"]:
        terminal.entry("not in force", f"{item['control']}: {item['why']}", terminal.YELLOW)
    if started["problem"]:
        terminal.error(SandboxdError(started["problem"], started["hint"]))
    return ready
