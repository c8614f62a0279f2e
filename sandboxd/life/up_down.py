"""Makes a project's container run as planned, and removes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sandboxd.files import CONFIG_NAME
from sandboxd.halt.words import Halted, is_by_config
from sandboxd.life import (
    egress,
    git_left,
    halts,
    journal,
    lasting,
    lost_at_end,
    overlaps,
    sources,
    ways_past,
)
from sandboxd.life.create import create
from sandboxd.life.end import end
from sandboxd.life.find import sandboxes_of, sandboxes_of_up
from sandboxd.life.lock import project_lock
from sandboxd.life.reuse import Reused, reuse
from sandboxd.life.starting import Running, Start
from sandboxd.model.labels import IMAGE, PLAN, PROJECT
from sandboxd.model.sandbox_id import name_option, workspace_of
from sandboxd.plan.network_ca import FOLDER, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.life.egress import Give
    from sandboxd.model.engine_answers import CreateRequest
    from sandboxd.plan.plan import Plan
    from sandboxd.policy.gateway_rights import GatewayRights


def leave_out_certificates(
    engine: Engine, body: CreateRequest, progress: Callable[[str], None]
) -> None:
    """Take the mounts and the variables out of `body` where the engine cannot bind a file of this user.

    :param progress: called with a message if that is so
    """
    mounts = body["HostConfig"].get("Mounts") or []
    rest = [mount for mount in mounts if not mount["Target"].startswith(f"{FOLDER}/")]
    if len(rest) == len(mounts) or sources.can_read_ours(engine):
        return
    body["HostConfig"]["Mounts"] = rest
    body["Env"] = without(body["Env"])
    progress(
        "the certificates of `network_ca` are left out: this engine cannot bind a file of this user; "
        "have them in the image"
    )


Replace = Literal["container", "copy"]


def up(
    engine: Engine,
    plan: Plan,
    progress: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
    gateway_image: str = "",
    credentials: Credentials | None = None,
    rights: GatewayRights | None = None,
    replace: Replace | None = None,
    give: Give | None = None,
    allowed: Callable[[], None] = lambda: None,
) -> Running:
    """Make the sandbox of `plan` run, with its gateway if the plan has one.

    A container of the same plan is reused: as it is if it runs, resumed if it is paused, started if it is stopped. One
    of another plan, or a half-made one, is removed after its work was saved, and created anew. A failed attempt leaves
    nothing behind.

    :param gateway_image: the image that the user's policy names for engines that cannot run ours; '' for none
    :param credentials: sent to the gateway after its policy; None leaves those of a running one
    :param rights: what its gateway lets through; required if the plan has a gateway
    :param give: as in `egress.prepare`
    :param allowed: called directly before the container runs; ends the attempt by raising
    :param check: called while another start or stop of the project is waited for; ends it by raising
    :param replace: create its container anew even if it could be reused; ``copy``: its private copy as well; None:
        neither
    :raises EnvironmentFailure: the engine or its runtime fails, or the work in an old container cannot be saved
    """
    from sandboxd.exchange.prepare import prepare
    from sandboxd.plan.writers.engine import arguments

    with project_lock(plan.sandbox, progress, check):
        prepare(plan)
        body = arguments(plan)
        leave_out_certificates(engine, body, progress)
        beside = None
        if plan.egress is not None:
            if rights is None:
                raise ValueError(
                    "a plan with a gateway, and nothing that says what it lets through"
                )
            beside = egress.prepare(
                engine,
                plan.sandbox,
                rights,
                gateway_image,
                progress,
                credentials=credentials,
                give=give,
            )
        identity = {PLAN: body["Labels"][PLAN], IMAGE: engine.image_id(body["Image"])}
        start = Start(engine, plan, beside, identity, progress, check, allowed)
        return _up(start, body, replace)


def _up(start: Start, body: CreateRequest, replace: Replace | None) -> Running:
    engine, plan, progress = start.engine, start.plan, start.progress
    is_replaced = False
    stub_paths = journal.noted(plan.sandbox)
    present = engine.containers(PROJECT)
    for old in sandboxes_of_up(engine, plan.sandbox, present):
        stub_paths += journal.on_label(old)
        reused = _reuse(start, old) if replace is None else "as asked for"
        for text in halts.beside(engine, plan.sandbox, old.id, present):
            progress(text)
        if isinstance(reused, Reused):
            sick = egress.start_services(
                engine, plan, start.beside, reused.inspected, "", progress, start.check
            )
            lost = ways_past.lost(engine, start.beside)
            return Running(old.id, old.name, reused.how, reused.inspected, lost, sick)
        journal.note(plan.sandbox, stub_paths)
        overlaps.refuse(engine, plan, old.id)
        progress(f"removing `{old.name}`: {reused}")
        end(engine, old, plan.sandbox, progress)
        is_replaced = True
    if replace == "copy":
        lasting.remove_copies(engine, plan.sandbox, progress)
    # To end another one takes so long that others may have started since.
    overlaps.refuse(engine, plan, present=None if is_replaced else present)
    return create(start, body, stub_paths, "recreated" if is_replaced else "created")


def _reuse(start: Start, old: Summary) -> Reused | str:
    """The container as it can go on, or why it is made anew.

    :raises Halted: it is halted, and only the user's word lets it be made anew
    """
    try:
        halts.refuse(start.engine, old)
    except Halted as error:
        # Whoever edits it and starts the sandbox asks for just that.
        if is_by_config(error.halt):
            return f"its `{CONFIG_NAME}` was replaced on the host"
        raise
    return reuse(start, old)


def down(
    engine: Engine,
    sandbox: str,
    progress: Callable[[str], None],
    discard: bool = False,
    check: Callable[[], None] = lambda: None,
    agent: str = "",
    forget: Callable[[], None] = lambda: None,
    look: Callable[[], None] = lambda: None,
) -> list[str]:
    """Stop and remove everything that `up` created for a sandbox; return the names of it, [] if there was nothing.

    The inner network and the placeholders in the workspace stay as long as a generated file names them: otherwise an
    editor could not start the sandbox from that file.

    :param sandbox: the sandbox's identity
    :param discard: throw away the changes in a private copy; otherwise they are saved first
    :param check: called while another start or stop of the project is waited for; ends it by raising
    :param agent: the agent whose session it is; '' for none
    :param forget: called once no container of the sandbox runs, before another start or stop of it can begin; not while
        one that an editor made goes on
    :param look: called once no program of `up` runs in it any more, while its gateway still does
    :raises EnvironmentFailure: the changes cannot be saved; then the sandbox keeps running
    """
    from sandboxd.plan import generate

    workspace = workspace_of(sandbox)
    with project_lock(sandbox, progress, check):
        removed = []
        # A file that tools read is of the sandbox without a name.
        has_file = sandbox == workspace and generate.is_there(workspace)
        stub_paths = journal.noted(sandbox)
        could_write = False
        for old in sandboxes_of_up(engine, sandbox):
            stub_paths += journal.on_label(old)
            journal.note(sandbox, stub_paths)
            could_write = could_write or git_left.could_write(engine, old, workspace)
            sentence = lost_at_end.sentence_of(engine, old.id)
            with egress.left_on_failure(engine, sandbox, discard):
                end(engine, old, sandbox, progress, discard)
            if sentence:
                progress(sentence)
            if not has_file:
                _say_what_git_needs(workspace, journal.on_label(old), progress)
            removed.append(old.name)
        look()
        if discard:
            lasting.remove_copies(engine, sandbox, progress)
        elif removed and lasting.has_copy(engine, sandbox, progress):
            _say_of_copy(sandbox, agent, progress)
        if not _is_of_editor(engine, sandbox):
            egress.leave(engine, sandbox, with_network=not has_file)
            forget()
            if sandbox == workspace and not has_file:
                stub_paths += journal.with_files(workspace)
        _leave_stubs(sandbox, stub_paths, has_file)
        if could_write:
            git_left.say(workspace, progress)
        return removed


def _say_what_git_needs(
    workspace: str, stub_paths: tuple[str, ...], progress: Callable[[str], None]
) -> None:
    from sandboxd.plan import stubs

    for path in stubs.still_needed(workspace, stub_paths):
        progress(
            f"`{path}` stays: a `HEAD` beside it would make git take the folder for a bare "
            "repository; look at `HEAD` and `config`, then remove them and it"
        )


def _say_of_copy(sandbox: str, agent: str, progress: Callable[[str], None]) -> None:
    from sandboxd.agents.session import start_command

    again = start_command(sandbox, agent)
    progress(f"the copy stays: `{again}` takes it up")
    if agent:
        progress(f"`sandboxd down{name_option(sandbox)} --discard` throws it away")
    else:
        progress(f"`{again} --fresh` begins with a new one")


def _is_of_editor(engine: Engine, sandbox: str) -> bool:
    """Whether a container runs that an editor made from a generated file: it has the same gateway."""
    return any(
        container.state in ("running", "paused") for container in sandboxes_of(engine, sandbox)
    )


def _leave_stubs(sandbox: str, stub_paths: tuple[str, ...], has_file: bool) -> None:
    """Remove the stand-ins of a sandbox, or note them while a generated file needs them."""
    from sandboxd.plan import stubs

    if has_file:
        journal.note(sandbox, stub_paths)
    elif stub_paths:
        stubs.remove(workspace_of(sandbox), stub_paths)
        journal.clear(sandbox)
