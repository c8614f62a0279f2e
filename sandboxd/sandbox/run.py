"""The life of a project's container: up, down, find, list."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.policy.labels import MADE_BY, UP
from sandboxd.sandbox import failures, sources
from sandboxd.sandbox.lock import project_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.plan.plan import Plan
    from sandboxd.sandbox.engine import Engine, Summary

PROJECT = "dev.sandboxd.project"
PLAN = "dev.sandboxd.plan"
PROFILE = "dev.sandboxd.profile"
IMAGE = "dev.sandboxd.image"
"""The image's id: a name can come to mean another image."""
STUBS = "dev.sandboxd.stubs"
"""Folders and files that were made for this container or one before it: `down` takes them away."""

STOP_SECONDS = 5
# A copy of a large workspace into memory takes long.
PREPARE_SECONDS = 300.0

How = Literal["created", "recreated", "restarted", "already running"]


class Running(NamedTuple):
    """A project's running container, and what `up` had to do for it."""

    id: str
    name: str
    how: How


def up(engine: Engine, plan: Plan, progress: Callable[[str], None]) -> Running:
    """Make the project's container run as planned.

    Running with the same plan: reused. Stopped: started again. Another plan, or half-made: made
    anew. Nothing of a failed attempt is left.

    :raises EnvironmentFailure: the engine or its runtime cannot
    """
    from sandboxd.plan import stubs
    from sandboxd.plan.writers.engine import arguments

    with project_lock(plan.workspace, progress):
        body = arguments(plan)
        identity = {PLAN: body["Labels"][PLAN], IMAGE: engine.image_id(body["Image"])}
        replaced = False
        kept: tuple[str, ...] = ()
        for old in _ours(engine, plan.workspace):
            how = _reuse(engine, old, identity)
            if how == "restarted" and plan.prepare:
                _prepare(engine, old.id, plan.prepare)
            kept += _stubs(old)
            if how is not None:
                return Running(old.id, old.name, how)
            if old.state == "running":
                _keep_work(engine, old, plan.workspace, progress)
            progress(f"removing `{old.name}`: {_why_replaced(old, identity)}")
            engine.remove(old.id)
            replaced = True
        check_volumes(engine, body)
        name = plan.container.name
        progress(f"starting `{name}` from `{body['Image']}`")
        made = stubs.make(plan.workspace, plan.stubs)
        try:
            body["Labels"] |= {**identity, MADE_BY: UP}
            if made or kept:
                body["Labels"][STUBS] = ":".join(sorted({*made, *kept}))
            container = _create(engine, name, body, plan)
            if plan.prepare:
                _prepare(engine, container, plan.prepare)
        except BaseException:
            stubs.remove(plan.workspace, {*made, *kept})
            raise
        return Running(container, name, "recreated" if replaced else "created")


def down(
    engine: Engine, workspace: str, progress: Callable[[str], None], discard: bool = False
) -> list[str]:
    """Stop and remove what `up` made for the project; returns the names, [] when nothing was up.

    :param discard: throw away what was changed in a private copy; else it is kept first
    :raises EnvironmentFailure: it cannot be kept; then the sandbox goes on running
    """
    from sandboxd.plan import stubs

    with project_lock(workspace, progress):
        removed = []
        for old in _ours(engine, workspace):
            volumes = _pin_volumes(engine, old.id)
            if old.state == "running" and not discard:
                _keep_work(engine, old, workspace, progress)
            if old.state == "running":
                with contextlib.suppress(failures.ContainerGone):
                    engine.stop(old.id, STOP_SECONDS)
            engine.remove(old.id)
            for volume in volumes:
                engine.remove_volume(volume)
            stubs.remove(workspace, _stubs(old))
            removed.append(old.name)
        return removed


def find(engine: Engine, workspace: str) -> Summary | None:
    """The project's running container: ours, else one that an editor made from our file."""
    running = [c for c in _sandboxes(engine, f"{PROJECT}={workspace}") if c.state == "running"]
    running.sort(key=lambda c: c.labels.get(MADE_BY) != UP)
    return running[0] if running else None


def find_all(engine: Engine) -> list[Summary]:
    """All containers of all projects, newest first."""
    return _sandboxes(engine, PROJECT)


def project_containers(engine: Engine, directory: str) -> list[Summary]:
    """Containers, in any state, of the project that `directory` lies in; works without its config.

    The nearest folder upwards that has any decides; ours come before an editor's, running before
    stopped.
    """
    here = os.path.realpath(directory)
    nearest: list[Summary] = []
    length = -1
    for container in find_all(engine):
        workspace = os.path.realpath(container.labels[PROJECT])
        if here != workspace and not here.startswith(workspace.rstrip("/") + "/"):
            continue
        if len(workspace) > length:
            nearest, length = [], len(workspace)
        if len(workspace) == length:
            nearest.append(container)
    return sorted(nearest, key=lambda c: (c.state != "running", c.labels.get(MADE_BY) != UP))


def locate(engine: Engine, directory: str) -> Summary:
    """The running container of the project that `directory` lies in.

    :raises ContainerGone: there is none
    """
    found = project_containers(engine, directory)
    if found and found[0].state == "running":
        return found[0]
    state = f": `{found[0].name}` is {found[0].state}" if found else ""
    raise failures.ContainerGone(
        f"no sandbox of `{os.path.realpath(directory)}` is running{state}",
        "start it: `sandboxd up`",
    )


def _keep_work(
    engine: Engine, old: Summary, workspace: str, progress: Callable[[str], None]
) -> None:
    from sandboxd.sandbox import rescue

    rescue.before_end(engine, old.id, workspace, progress)


def _stubs(container: Summary) -> tuple[str, ...]:
    """As `up` noted them. A label can be written by anybody, so only what it may name counts."""
    from sandboxd.plan import stubs

    noted = container.labels.get(STUBS, "").split(":")
    return tuple(sorted(path for path in noted if stubs.may_be(path)))


def _ours(engine: Engine, workspace: str) -> list[Summary]:
    return _sandboxes(engine, f"{PROJECT}={workspace}", f"{MADE_BY}={UP}")


def _sandboxes(engine: Engine, *labels: str) -> list[Summary]:
    """Containers with our labels that hold the folder that the labels name.

    An image can bring any label, and would stand for another project's sandbox; what it cannot
    bring is a mount of that project's folder, which every plan has.
    """
    return [c for c in engine.containers(*labels) if _has_its_folder(engine, c)]


def _has_its_folder(engine: Engine, container: Summary) -> bool:
    from sandboxd.plan.mounts import pinned_volume

    try:
        inspected = engine.inspect(container.id)
    except failures.ContainerGone:
        return False
    workspace = container.labels[PROJECT]
    pin = pinned_volume(workspace, "").source
    asked = inspected.get("HostConfig") or {}
    if any(bind.startswith(f"{workspace}:") for bind in asked.get("Binds") or []):
        return True
    # Docker Desktop shows the folder of its virtual machine, and what was asked for elsewhere.
    for mount in [*(inspected.get("Mounts") or []), *(asked.get("Mounts") or [])]:
        source = mount.get("Source") or ""
        if mount.get("Type") == "bind" and workspace in (source, os.path.realpath(source)):
            return True
        if mount.get("Type") == "volume" and pin in (mount.get("Name"), source):
            return True
    return False


def _same(container: Summary, identity: Mapping[str, str]) -> bool:
    return all(container.labels.get(key) == value for key, value in identity.items())


def _reuse(engine: Engine, old: Summary, identity: Mapping[str, str]) -> How | None:
    """Make `old` do, when it was made from the same plan and can run."""
    if not _same(old, identity):
        return None
    if old.state == "running":
        return "already running"
    if old.state == "exited":
        with contextlib.suppress(failures.CannotStart):
            engine.start(old.id)
            return "restarted"
    return None


def _why_replaced(old: Summary, identity: Mapping[str, str]) -> str:
    if not _same(old, identity):
        return "the plan or the image changed"
    return "it does not start again" if old.state == "exited" else f"it is half-made ({old.state})"


def _create(engine: Engine, name: str, body: dict[str, Any], plan: Plan) -> str:
    from sandboxd.sandbox.named_user import refuse_root

    try:
        container = engine.create(name, body)
    except failures.NameTaken as error:
        raise _foreign(engine, name, error) from None
    except failures.SourceMissing as error:
        if sources.on_this_machine(engine):
            raise
        raise sources.elsewhere(engine, error.path, "it is not there") from None
    try:
        sources.check(engine, container, body["HostConfig"]["Mounts"])
        refuse_root(engine, container, plan)
        engine.start(container)
        state = engine.inspect(container)["State"]
        if not state.get("Running"):
            raise _died(engine, container, state)
    except BaseException:
        engine.remove(container)
        raise
    return container


def _prepare(engine: Engine, container: str, command: tuple[str, ...]) -> None:
    """Run what has to be done before the sandbox is ready; when it fails, there is no sandbox.

    :raises CannotStart: it fails
    """
    from sandboxd.sandbox.engine import Exec
    from sandboxd.sandbox.execute import run_quietly

    try:
        code, output = run_quietly(engine, container, Exec(command), PREPARE_SECONDS)
    except BaseException:
        engine.remove(container)
        raise
    if code:
        engine.remove(container)
        said = " ".join(output.decode("utf-8", "replace").split())[:300]
        raise failures.CannotStart(
            f"the workspace could not be copied into the sandbox: {said or f'exit code {code}'}",
            "`sandboxd explain-plan` shows how large a copy may be; the image needs `tar` or `cp`",
        )


def _foreign(engine: Engine, name: str, error: EnvironmentFailure) -> EnvironmentFailure:
    """A better message when the holder of the name is ours after all, made by another user."""
    labels = engine.inspect(name)["Config"].get("Labels") or {}
    if labels.get(MADE_BY) == UP:
        return EnvironmentFailure(
            f"`{name}` is being made by another user's sandboxd", "run `sandboxd up` again"
        )
    return error


def _died(engine: Engine, container: str, state: dict[str, Any]) -> EnvironmentFailure:
    words = b"".join(piece for _, piece in engine.logs(container, follow=False, tail="5"))
    said = " ".join(words.decode("utf-8", "replace").split())[:300]
    reason = "out of memory" if state.get("OOMKilled") else f"exit code {state.get('ExitCode')}"
    return failures.CannotStart(
        f"the container ended at once ({reason})" + (f": {said}" if said else ""),
        "the image needs `sh` and `sleep`; or give the plan a command of its own",
    )


def check_volumes(engine: Engine, body: dict[str, Any]) -> None:
    """Refuse a volume that exists with another device: the engine would keep the old one."""
    for mount in body.get("HostConfig", {}).get("Mounts") or []:
        options = ((mount.get("VolumeOptions") or {}).get("DriverConfig") or {}).get("Options")
        if mount.get("Type") != "volume" or not mount.get("Source"):
            continue
        existing = engine.volume(mount["Source"])
        if not options:
            if existing is not None and (existing.get("Options") or {}).get("device"):
                raise EnvironmentFailure(
                    f"the volume `{mount['Source']}` stands for `{existing['Options']['device']}`, "
                    "which the project does not say",
                    f"name another volume, or `docker volume rm {mount['Source']}`",
                )
            continue
        if existing is None or existing.get("Options") == options:
            continue
        if not engine.remove_volume(mount["Source"]):
            raise EnvironmentFailure(
                f"the volume `{mount['Source']}` is in use with another folder behind it",
                f"remove its container, then `docker volume rm {mount['Source']}`",
            )


def _pin_volumes(engine: Engine, container: str) -> list[str]:
    """Named volumes of a container that only point at host folders: they hold nothing."""
    try:
        mounts = engine.inspect(container).get("Mounts") or []
    except failures.ContainerGone:
        return []
    names = [m["Name"] for m in mounts if m.get("Type") == "volume" and m.get("Name")]
    pins = []
    for name in names:
        volume = engine.volume(name)
        if volume is not None and "bind" in (volume.get("Options") or {}).get("o", "").split(","):
            pins.append(name)
    return pins
