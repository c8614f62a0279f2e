"""Makes a project's container run as planned, and removes it again."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.host import stand_ins
from sandboxd.life import (
    device_files,
    egress,
    git_left,
    journal,
    lasting,
    mounted,
    overlaps,
    private_copy,
    sources,
    volumes,
)
from sandboxd.life.end import end, remove
from sandboxd.life.find import sandboxes_of, sandboxes_of_up
from sandboxd.life.lock import project_lock
from sandboxd.life.states import settle
from sandboxd.model.labels import IMAGE, MADE_BY, PLAN, PROJECT, SOURCES, START, STUBS, UP
from sandboxd.model.sandbox_id import name_option, workspace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.engine.answers import CreateRequest, Inspected, State
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.life.egress import Egress
    from sandboxd.life.service_start import Sick
    from sandboxd.plan.plan import Downgrade, Plan

How = Literal["created", "recreated", "restarted", "resumed", "already running"]
Replace = Literal["container", "copy"]


class Running(NamedTuple):
    """A project's running container, and what `up` had to do for it."""

    id: str
    name: str
    how: How
    inspected: Inspected
    """As the engine described it once it ran: whoever needs to know more of it needs no other look."""
    lost: tuple[Downgrade, ...] = ()
    """Parts that this host's settings take from it."""
    sick: tuple[Sick, ...] = ()
    """Other services of its project that do not run as others need them."""
    stand_ins: tuple[str, ...] = ()
    """Files and folders that were made in the workspace for it now."""


def up(
    engine: Engine,
    plan: Plan,
    progress: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
    gateway_image: str = "",
    credentials: Credentials | None = None,
    replace: Replace | None = None,
) -> Running:
    """Make the project's container run as planned, with its gateway where the plan has one.

    Running with the same plan: reused. Paused: resumed. Stopped: started again. Another plan, or half-made:
    its work is kept, then it is made anew. A failed attempt leaves nothing behind.

    :param gateway_image: the image that the user's policy names for engines that cannot run ours
    :param credentials: sent to the gateway after its policy
    :param check: called while another start or stop of the project is waited for; ends it by raising
    :param replace: make its container anew in any case; ``copy``: its private copy as well
    :raises EnvironmentFailure: the engine or its runtime cannot, or work in an old container cannot be kept
    """
    from sandboxd.credentials.uses import files
    from sandboxd.plan import stubs
    from sandboxd.plan.writers.engine import arguments

    with project_lock(plan.sandbox, progress, check):
        body = arguments(plan)
        beside = None
        if plan.egress is not None:
            beside = egress.prepare(
                engine,
                plan.sandbox,
                plan.egress,
                gateway_image,
                progress,
                credentials=credentials,
            )
        identity = {PLAN: body["Labels"][PLAN], IMAGE: engine.image_id(body["Image"])}
        replaced = False
        stub_paths: tuple[str, ...] = journal.noted(plan.sandbox)
        present = engine.containers(PROJECT)
        for old in sandboxes_of_up(engine, plan.sandbox, present):
            stub_paths += _stubs(old)
            if replace is None:
                how, why, inspected = _reuse(engine, old, identity, plan, beside, progress)
            else:
                how, why, inspected = None, "as asked for", None
            if how is not None:
                assert inspected is not None
                sick = _start_services(engine, plan, beside, inspected, "", progress, check)
                lost = egress.lost(engine, beside)
                return Running(old.id, old.name, how, inspected, lost, sick)
            journal.note(plan.sandbox, stub_paths)
            overlaps.refuse(engine, plan, old.id)
            progress(f"removing `{old.name}`: {why}")
            end(engine, old, plan.sandbox, progress)
            replaced = True
        if replace == "copy":
            lasting.remove_copies(engine, plan.sandbox, progress)
        # To end another one takes so long that others may have started since.
        overlaps.refuse(engine, plan, present=None if replaced else present)
        known = volumes.Known(engine)
        lasting.ensure(engine, plan, progress, known)
        volumes.refuse_other_device(engine, body, known)
        if beside is not None:
            egress.add_to(body, beside, engine, files(plan.credentials, plan.workspace))
        name = plan.container.name
        progress(f"starting `{name}` from `{body['Image']}`")
        journal.note(plan.sandbox, {*stub_paths, *journal.absent(plan.workspace, plan.stubs)})
        created = stubs.make(plan.workspace, plan.stubs)
        start = secrets.token_hex(8)
        try:
            body["Labels"] |= {**identity, MADE_BY: UP, START: start}
            if created or stub_paths:
                body["Labels"][STUBS] = ":".join(sorted({*created, *stub_paths}))
            with (
                egress.leaving(engine, plan.sandbox)
                if beside is None
                else egress.beside(engine, beside, progress, start)
            ):
                inspected = _create(engine, name, body, plan, beside, known, progress)
                container = str(inspected["Id"])
                private_copy.make(engine, container, plan)
            sick = _start_services(engine, plan, beside, inspected, start, progress, check)
        except BaseException:
            for half_made in engine.containers(f"{START}={start}"):
                remove(engine, half_made.id)
            egress.leave(engine, plan.sandbox)
            stubs.remove(plan.workspace, {*created, *stub_paths})
            journal.clear(plan.sandbox)
            raise
        journal.clear(plan.sandbox)
        how = "recreated" if replaced else "created"
        lost = egress.lost(engine, beside)
        return Running(container, name, how, inspected, lost, sick, created)


def _start_services(
    engine: Engine,
    plan: Plan,
    beside: Egress | None,
    workspace: Inspected,
    start: str,
    progress: Callable[[str], None],
    check: Callable[[], None],
) -> tuple[Sick, ...]:
    """Start the services of the plan, after workspace and gateway: they may share the workspace's network."""
    if beside is None:
        return ()
    return egress.start_services(engine, plan, beside, workspace, start, progress, check)


def down(
    engine: Engine,
    sandbox: str,
    progress: Callable[[str], None],
    discard: bool = False,
    check: Callable[[], None] = lambda: None,
) -> list[str]:
    """Stop and remove what `up` made for the project; returns the names, [] when nothing was up.

    The inner network of its gateway and the stand-ins in the workspace stay as long as a generated file
    names them: an editor could not start the sandbox without.

    :param sandbox: its identity
    :param discard: throw away what was changed in a private copy, which else is kept first
    :raises EnvironmentFailure: it cannot be kept; then the sandbox goes on running
    """
    from sandboxd.plan import generate, stubs

    workspace = workspace_of(sandbox)
    with project_lock(sandbox, progress, check):
        removed = []
        # A file that tools read is of the sandbox without a name.
        has_file = sandbox == workspace and generate.is_there(workspace)
        stub_paths = journal.noted(sandbox)
        could_write = False
        for old in sandboxes_of_up(engine, sandbox):
            stub_paths += _stubs(old)
            journal.note(sandbox, stub_paths)
            could_write = could_write or git_left.could_write(engine, old, workspace)
            with egress.left_on_failure(engine, sandbox, discard):
                end(engine, old, sandbox, progress, discard)
            for path in () if has_file else stubs.still_needed(workspace, _stubs(old)):
                progress(
                    f"`{path}` stays: a `HEAD` beside it would make git take the folder for a bare "
                    "repository; look at `HEAD` and `config`, then remove them and it"
                )
            removed.append(old.name)
        if discard:
            lasting.remove_copies(engine, sandbox, progress)
        elif removed and lasting.has_copy(engine, sandbox, progress):
            again = f"sandboxd up{name_option(sandbox)}"
            progress(f"the copy stays: `{again}` takes it up")
            progress(f"`{again} --fresh` begins with a new one")
        if not _is_of_editor(engine, sandbox):
            egress.leave(engine, sandbox, with_network=not has_file)
            if sandbox == workspace and not has_file:
                stub_paths += _stubs_of_files(workspace)
        if has_file:
            journal.note(sandbox, stub_paths)
        elif stub_paths:
            stubs.remove(workspace, stub_paths)
            journal.clear(sandbox)
        if could_write:
            git_left.say(workspace, progress)
        return removed


def _is_of_editor(engine: Engine, sandbox: str) -> bool:
    """Whether a container runs that an editor made from a generated file: it has the same gateway."""
    return any(
        container.state in ("running", "paused") for container in sandboxes_of(engine, sandbox)
    )


def _stubs_of_files(workspace: str) -> tuple[str, ...]:
    """The stand-ins that were made for generated files, which are gone; no longer noted."""
    from sandboxd.plan import stubs

    noted = stand_ins.noted(os.environ, workspace)
    stand_ins.forget(os.environ, workspace)
    return tuple(path for path in noted if stubs.may_be(path))


def _stubs(container: Summary) -> tuple[str, ...]:
    """The stand-ins that `up` noted in the label; anybody can write one, so only paths that it may name count."""
    from sandboxd.plan import stubs

    noted = container.labels.get(STUBS, "").split(":")
    return tuple(sorted(path for path in noted if stubs.may_be(path)))


def _same(container: Summary, identity: Mapping[str, str]) -> bool:
    return all(container.labels.get(key) == value for key, value in identity.items())


def _reuse(
    engine: Engine,
    old: Summary,
    identity: Mapping[str, str],
    plan: Plan,
    beside: Egress | None,
    progress: Callable[[str], None],
) -> tuple[How | None, str, Inspected | None]:
    """Use `old` if it was made from the same plan and can run; else None, and why not.

    With the engine's description of it, where that was asked for.
    """
    if not _same(old, identity):
        return None, "the plan or the image changed", None
    replaced = mounted.replaced(old.labels.get(SOURCES, ""), plan.workspace)
    if replaced:
        why = f"`{replaced[0]}` was replaced on the host, which took its mount away"
        return None, why, None
    container = settle(engine, old)
    if container.state == "running":
        if not private_copy.is_whole(engine, old.id, plan):
            why = "an earlier start was interrupted before its private copy was whole"
            return None, why, None
        inspected = engine.inspect(old.id)
        if beside is not None:
            if others := egress.other_networks(inspected, beside):
                return None, f"it was put on `{others[0]}`, which leads past its gateway", None
            egress.follow(engine, beside, progress)
        return "resumed" if old.state == "paused" else "already running", "", inspected
    if container.state == "exited":
        overlaps.refuse(engine, plan, old.id)
        with contextlib.suppress(failures.CannotStart):
            with egress.beside(engine, beside, progress):
                inspected = _start_again(engine, old.id, plan, beside, progress)
            return "restarted", "", inspected
        return None, "it does not start again", None
    return None, f"it is half-made ({container.state})", None


def _start_again(
    engine: Engine,
    container: str,
    plan: Plan,
    beside: Egress | None,
    progress: Callable[[str], None],
) -> Inspected:
    """Start a container that was stopped and fill its memory; when that fails, the container goes.

    :raises CannotStart: it does not start
    """
    opened: tuple[mounted.Source, ...] = ()
    if sources.on_this_machine(engine):
        mounts = engine.inspect(container)["HostConfig"].get("Mounts") or []
        opened = mounted.open_sources(mounts)
    engine.start(container)
    try:
        inspected = engine.inspect(container)
        egress.refuse_other_networks(inspected, beside)
        _compare_mounts(inspected["State"], opened, plan, progress)
        private_copy.make(engine, container, plan)
    except BaseException:
        remove(engine, container)
        raise
    return inspected


def _create(
    engine: Engine,
    name: str,
    body: CreateRequest,
    plan: Plan,
    beside: Egress | None,
    known: volumes.Known,
    progress: Callable[[str], None],
) -> Inspected:
    from sandboxd.life.user import refuse_root

    opened: tuple[mounted.Source, ...] = ()
    if sources.on_this_machine(engine):
        opened = mounted.open_sources(body["HostConfig"].get("Mounts") or [])
        body["Labels"][SOURCES] = mounted.note(opened)
    # Asked before: what is new afterwards was filled from the image.
    old = device_files.leave_old_volumes(known, body) if plan.gvisor else frozenset()
    try:
        container = engine.create(name, body)
    except failures.NameTaken as error:
        raise _foreign(engine, name, error) from None
    except failures.SourceMissing as error:
        if sources.on_this_machine(engine):
            raise
        raise sources.elsewhere(engine, error.path, "it is not there") from None
    sources.check(engine, container, body["HostConfig"].get("Mounts") or [])
    points = volumes.points(engine, container, plan)
    volumes.refuse_image_volumes(points, plan)
    if plan.gvisor:
        device_files.refuse(engine, container, points, old, progress)
    refuse_root(engine, container, plan)
    lasting.give(engine, container, plan)
    engine.start(container)
    inspected = engine.inspect(container)
    state = inspected["State"]
    if not state.get("Running"):
        raise _error_of_end(engine, container, state)
    egress.refuse_other_networks(inspected, beside)
    _compare_mounts(state, opened, plan, progress)
    return inspected


def _compare_mounts(
    state: State,
    opened: tuple[mounted.Source, ...],
    plan: Plan,
    progress: Callable[[str], None],
) -> None:
    """Compare what was opened with what a container in `state` has, before anything runs in it.

    :raises EnvironmentFailure: something else was mounted
    """
    if not opened or (not plan.gvisor and mounted.compare(opened, state.get("Pid") or 0)):
        return
    whose = "gVisor" if plan.gvisor else "the runtime"
    progress(f"mounts not compared: {whose} hides them; no other running sandbox can write there")


def _foreign(engine: Engine, name: str, error: EnvironmentFailure) -> EnvironmentFailure:
    """A better error when the container that has the name is ours after all, made by another user."""
    labels = engine.inspect(name)["Config"].get("Labels") or {}
    if labels.get(MADE_BY) == UP:
        return EnvironmentFailure(
            f"`{name}` is being made by another user's sandboxd", "run `sandboxd up` again"
        )
    return error


def _error_of_end(engine: Engine, container: str, state: State) -> EnvironmentFailure:
    words = b"".join(piece for _, piece in engine.logs(container, follow=False, tail="5"))
    text = " ".join(words.decode("utf-8", "replace").split())[:300]
    reason = "out of memory" if state.get("OOMKilled") else f"exit code {state.get('ExitCode')}"
    return failures.CannotStart(
        f"the container ended at once ({reason})" + (f": {text}" if text else ""),
        "the image needs `sh` and `sleep`; or give the plan a command of its own",
    )
