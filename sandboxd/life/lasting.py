"""Volumes that outlive a container: creating them, setting the owner of their folders, removing them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import removal
from sandboxd.life.volumes import Known
from sandboxd.model.labels import VOLUME, VOLUME_TIME
from sandboxd.plan.lasting import beginning, is_copy
from sandboxd.review import copies, host_times, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Volume
    from sandboxd.plan.plan import Plan

_EVERYBODYS = 0o1777


def ensure(
    engine: Engine, plan: Plan, progress: Callable[[str], None], known: Known | None = None
) -> None:
    """Create those volumes of `plan` that do not exist; an incomplete private copy is removed and created anew.

    :param known: the volumes looked up so far in this start; None: the engine is asked
    :raises EnvironmentFailure: a volume cannot be created, or one of that name is not sandboxd's
    """
    known = known or Known(engine)
    for place in plan.lasting:
        volume = known.volume(place.volume)
        if volume is not None and (volume.get("Labels") or {}).get(VOLUME) != plan.sandbox:
            raise EnvironmentFailure(
                f"the volume `{place.volume}` is not sandboxd's",
                f"look at it, then `docker volume rm {place.volume}`",
            )
        is_torn = place.kind == "copy" and volume is not None and not copies.whole_since(volume)
        if is_torn:
            progress("the private copy of before is not whole: making it anew")
            remove(engine, place.volume, progress)
        if volume is None or is_torn:
            labels = {VOLUME: plan.sandbox, VOLUME_TIME: str(time.time_ns())}
            engine.create_volume(place.volume, labels)
            known.changed(place.volume)


def give(engine: Engine, container: str, plan: Plan) -> None:
    """Make the user of `plan` the owner of the volumes' folders, in a container that has not been started.

    The engine creates them as root's. No program of the image runs for this. If the user has no number, everybody may
    write the folders.
    """
    user = plan.container.user.value if plan.container.user is not None else ""
    uid, _, gid = user.partition(":")
    is_numbered = uid.isascii() and uid.isdecimal()
    owner = (int(uid), int(gid) if gid.isdecimal() else int(uid)) if is_numbered else (0, 0)
    for place in plan.lasting:
        folder, _, name = place.target.rpartition("/")
        # Only inside is known which number a name has.
        mode = place.mode if is_numbered else _EVERYBODYS
        engine.put_folder(container, folder, name, mode, owner)


def copy_of(engine: Engine, plan: Plan) -> Volume | None:
    """The volume that holds the private copy of `plan`; None if the plan keeps none in a volume, or it does not exist
    yet.
    """
    names = [place.volume for place in plan.lasting if place.kind == "copy"]
    return engine.volume(names[0]) if names else None


def has_copy(
    engine: Engine, sandbox: str, progress: Callable[[str], None] = removal.silent
) -> bool:
    """Whether a volume with a private copy of a sandbox exists.

    :param sandbox: the sandbox's identity
    """
    return any(is_copy(each["Name"]) for each in _volumes(engine, sandbox, progress))


def _volumes(engine: Engine, sandbox: str, progress: Callable[[str], None]) -> list[Volume]:
    """The volumes of a sandbox, waiting for an engine that is still removing a container."""
    label = f"{VOLUME}={sandbox}"
    return removal.patiently(
        engine,
        lambda: engine.volumes(label),
        "removing the container's own volumes",
        f"docker volume ls --filter label={VOLUME}",
        progress,
    )


def remove_copies(
    engine: Engine, sandbox: str, progress: Callable[[str], None] = removal.silent
) -> None:
    """Remove the volumes with copies of a sandbox whose containers are gone: private ones, and one that is kept the same.

    :param sandbox: the sandbox's identity
    :raises EnvironmentFailure: a container uses one
    """
    for volume in _volumes(engine, sandbox, progress):
        name = volume["Name"]
        if is_copy(name) or name.startswith(beginning("synced", sandbox)):
            remove(engine, name, progress)
            host_times.forget(sandbox)
            sent.forget(sandbox)


def remove(engine: Engine, name: str, progress: Callable[[str], None] = removal.silent) -> None:
    """Remove a volume; waits while the engine deletes a large one.

    :raises EnvironmentFailure: a container uses it
    """
    is_removed = removal.volume(engine, name, progress)
    if not is_removed and engine.volume(name) is not None:
        raise EnvironmentFailure(
            f"the volume `{name}` is in use by a container",
            f"see which: `docker ps -a --filter volume={name}`; remove it, then run the command again",
        )
    copies.forget(name)
