"""Finds the containers of a project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.model.paths import lies_in
from sandboxd.model.sandbox_id import name_of, sandbox_id, workspace_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.model.engine_answers import Inspected


def running_sandbox(engine: Engine, sandbox: str) -> Summary | None:
    """The running container of a sandbox, by its identity: that of `up`, else one that an editor made from our file."""
    running = [
        c for c in _containers_with_labels(engine, f"{PROJECT}={sandbox}") if c.state == "running"
    ]
    running.sort(key=lambda c: c.labels.get(MADE_BY) != UP)
    return running[0] if running else None


def all_sandboxes(engine: Engine) -> list[Summary]:
    """All containers of all projects, newest first."""
    return _containers_with_labels(engine, PROJECT)


def project_containers(engine: Engine, directory: str, name: str = "") -> list[Summary]:
    """Containers, in any state, of a sandbox of the project that `directory` lies in; no config is read.

    `name` is the sandbox's name, '' for the one without a name.

    The project is the nearest folder, from `directory` upwards, that has such a container. Running containers come
    first, and among equals those of `up` before those of an editor.
    """
    here = os.path.realpath(directory)
    containers = _containers_with_labels(engine, f"{PROJECT}={sandbox_id(here, name)}")
    if not containers:
        # No project's own folder: each container is asked about whose folder is on the way up.
        above = [
            c
            for c in engine.containers(PROJECT)
            if name_of(c.labels[PROJECT]) == name and _is_within(here, _workspace(c))
        ]
        for depth in sorted({_depth(c) for c in above}, reverse=True):
            at_depth = [c for c in above if _depth(c) == depth]
            containers = [c for c in at_depth if is_believed(engine, c)]
            if containers:
                break
    return sorted(containers, key=lambda c: (c.state != "running", c.labels.get(MADE_BY) != UP))


def any_container(engine: Engine, directory: str, name: str = "") -> Summary:
    """The first of `project_containers`, whether or not it runs.

    :raises EnvironmentFailure: there is none
    """
    containers = project_containers(engine, directory, name)
    if containers:
        return containers[0]
    which = f"sandbox `{name}`" if name else "sandbox"
    here = os.path.realpath(directory)
    others = [] if name else names_beside(engine, here)
    raise EnvironmentFailure(f"`{directory}` has no {which}", how_to_start(here, name, others))


def names_beside(engine: Engine, workspace: str) -> list[str]:
    """Names of all named sandboxes of a workspace that `up` created, in any state and sorted.

    :param workspace: its real path
    """
    containers = engine.containers(PROJECT, f"{MADE_BY}={UP}")
    names = {name_of(c.labels[PROJECT]) for c in containers if _workspace(c) == workspace}
    return sorted(names - {""})


def _workspace(container: Summary) -> str:
    return workspace_of(container.labels[PROJECT])


def _is_within(folder: str, workspace: str) -> bool:
    return lies_in(folder, os.path.realpath(workspace))


def _depth(container: Summary) -> int:
    return len(os.path.realpath(_workspace(container)))


def locate(engine: Engine, directory: str, name: str = "", *, even_halted: bool = False) -> Summary:
    """The running container of the sandbox `name` of the project that `directory` lies in.

    :param even_halted: also return a halted sandbox, for a caller that only inspects it
    :raises ContainerGone: no such sandbox runs
    :raises Halted: it is halted, and `even_halted` is False
    """
    containers = project_containers(engine, directory, name)
    return locate_among(containers, engine, directory, name, even_halted=even_halted)


def locate_among(
    containers: Sequence[Summary],
    engine: Engine,
    directory: str,
    name: str = "",
    *,
    even_halted: bool = False,
) -> Summary:
    """The same as `locate`, among what `project_containers` just returned."""
    from sandboxd.life import halts

    if containers and containers[0].state == "running":
        return containers[0]
    for container in containers:
        is_paused = container.state == "paused"
        if even_halted and is_paused and halts.is_halted(engine, container):
            return container
        halts.refuse(engine, container)
    here = os.path.realpath(directory)
    state = f": `{containers[0].name}` is {containers[0].state}" if containers else ""
    which = f"sandbox `{name}`" if name else "sandbox"
    others = [] if name or containers else names_beside(engine, here)
    raise failures.ContainerGone(
        f"no {which} of `{here}` is running{state}", how_to_start(here, name, others)
    )


def how_to_start(folder: str, name: str, others: Sequence[str]) -> str:
    """The hint, with a command, for a user who asked for the sandbox `name`, which does not run.

    :param folder: the real path of the project's folder, or of one in it
    :param others: names of the project's sandboxes that do run
    """
    if others:
        return f"start it: `sandboxd up`; or name one that is there: `--name {others[0]}`"
    from sandboxd.agents import session
    from sandboxd.files import project_root

    # An agent's session belongs to the whole project, in whichever of its folders it was begun.
    of_session = sandbox_id(project_root(folder), name)
    command = session.start_command(of_session, session.agent_of(os.environ, of_session))
    return f"start it: `{command}`"


def sandboxes_of(engine: Engine, sandbox: str) -> list[Summary]:
    """The containers, in any state, of a sandbox by its identity: of `up`, and of editors by our file."""
    return _containers_with_labels(engine, f"{PROJECT}={sandbox}")


def sandboxes_of_up(
    engine: Engine, sandbox: str, present: Sequence[Summary] | None = None
) -> list[Summary]:
    """The containers, in any state, that `sandboxd up` made for a sandbox, by its identity.

    :param present: the containers of all projects, where the engine listed them just now
    """
    if present is None:
        return _containers_with_labels(engine, f"{PROJECT}={sandbox}", f"{MADE_BY}={UP}")
    marks = {PROJECT: sandbox, MADE_BY: UP}
    ours = [c for c in present if all(c.labels.get(key) == marks[key] for key in marks)]
    return [c for c in ours if is_believed(engine, c)]


def _containers_with_labels(engine: Engine, *labels: str) -> list[Summary]:
    """The containers with our labels that really are a sandbox of the project that the labels name.

    An image can bring any label, and would pass for another project's sandbox.
    """
    return [c for c in engine.containers(*labels) if is_believed(engine, c)]


def is_believed(engine: Engine, container: Summary) -> bool:
    """Whether a container really belongs to the project that its labels name.

    An image can bring such labels. So the container must also mount the project's folder, or have a private copy of it,
    or be recorded as the one with a copy of it, and have the name that `up` gives; where an editor made it, its image must not have the label.
    Any other container is somebody else's: nothing may run in it, and it is not removed.
    """
    from sandboxd.plan.container_name import container_name

    by_us = container.labels.get(MADE_BY) == UP
    if by_us and container.name != container_name(container.labels[PROJECT]):
        return False
    try:
        inspected = engine.inspect(container.id)
    except failures.ContainerGone:
        return False
    if not (
        _has_its_folder(inspected, container)
        or (by_us and _has_private_copy(engine, inspected))
        or _has_recorded_copy(container)
    ):
        return False
    return by_us or PROJECT not in engine.image_labels(inspected.get("Image") or "")


def _has_private_copy(engine: Engine, inspected: Inspected) -> bool:
    """Whether it has a volume with the copy of the project, or the memory for one, which no image can ask for."""
    from sandboxd.plan.layout import MARK_FOLDER
    from sandboxd.review import copies

    in_memory = (inspected.get("HostConfig") or {}).get("Tmpfs") or {}
    return MARK_FOLDER in in_memory or copies.copy_of(engine, inspected) is not None


def _has_recorded_copy(container: Summary) -> bool:
    """Whether we recorded, before it was started, that it has the copy that is kept the same."""
    from sandboxd.sync import place, record

    folder = place.place_of(os.environ, container.labels[PROJECT])
    return record.read_of(folder, container.id) is not None


def _has_its_folder(inspected: Inspected, container: Summary) -> bool:
    """Whether it mounts the folder that its labels name, which every plan does."""
    from sandboxd.plan.pinned_volume import pinned_volume

    workspace = _workspace(container)
    pin = pinned_volume(workspace, "").source
    host_config = inspected.get("HostConfig") or {}
    if any(bind.startswith(f"{workspace}:") for bind in host_config.get("Binds") or []):
        return True
    # Docker Desktop shows the folder of its virtual machine, and what was asked for elsewhere.
    for mount in [*(inspected.get("Mounts") or []), *(host_config.get("Mounts") or [])]:
        source = mount.get("Source") or ""
        if mount.get("Type") == "bind" and workspace in (source, os.path.realpath(source)):
            return True
        if mount.get("Type") == "volume" and pin in (mount.get("Name"), source):
            return True
    return False
