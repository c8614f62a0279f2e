"""Checks of a container's volumes: those that exist already, those of the image, and those that stand for a host
folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import CreateRequest, MountPoint, Volume
    from sandboxd.plan.plan import Plan


class Known:
    """A cache of the volumes' descriptions for one start, so that the engine is asked about each only once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, Volume | None] = {}

    def volume(self, name: str) -> Volume | None:
        """The description of a volume when it was first asked for; None if it did not exist."""
        if name not in self._known:
            self._known[name] = self._engine.volume(name)
        return self._known[name]

    def changed(self, name: str) -> None:
        """Forget a volume that was created or removed, so that it is asked about again."""
        self._known.pop(name, None)


def refuse_other_device(engine: Engine, body: CreateRequest, known: Known | None = None) -> None:
    """Refuse a volume that exists with other options than the request has: the engine would silently keep the old ones.

    One that stood for another host folder and that no container uses is removed instead.

    :param known: the volumes looked up so far in this start; None: the engine is asked
    :raises EnvironmentFailure: there is such a volume, and it is in use or stands for a folder that is not asked for
    """
    known = known or Known(engine)
    for mount in body.get("HostConfig", {}).get("Mounts") or []:
        options = ((mount.get("VolumeOptions") or {}).get("DriverConfig") or {}).get("Options")
        if mount.get("Type") != "volume" or not mount.get("Source"):
            continue
        existing = known.volume(mount["Source"])
        if not options:
            device = _options(existing).get("device")
            if device:
                raise EnvironmentFailure(
                    f"the volume `{mount['Source']}` stands for `{device}`, "
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
        known.changed(mount["Source"])


def points(engine: Engine, container: str, plan: Plan) -> list[MountPoint]:
    """The mounts of a created container; [] where it does not matter what the image adds (no gVisor, a writable
    root).
    """
    if not plan.gvisor and not _has_read_only_root(plan):
        return []
    return engine.inspect(container).get("Mounts") or []


def refuse_image_volumes(points: Iterable[MountPoint], plan: Plan) -> None:
    """Refuse a volume that only the image declares (`VOLUME`), if the root file system is read-only.

    The engine would create a folder on the host's disk for it, writable and without a size limit.

    :param points: the mounts of the created container
    :raises EnvironmentFailure: there is one
    """
    if not _has_read_only_root(plan):
        return
    planned = {value.value.target for value in plan.container.mounts}
    for mount in points:
        target = mount.get("Destination") or ""
        if mount.get("Type") == "volume" and target not in planned:
            raise EnvironmentFailure(
                f"the image keeps `{target}` in a volume on the host's disk, without a limit, which "
                f"`{plan.profile}` does not have",
                f'give it memory: `"mounts": ["type=tmpfs,target={target}"]` in devcontainer.json; or '
                "use an image without `VOLUME`",
            )


def _has_read_only_root(plan: Plan) -> bool:
    read_only = plan.container.read_only_rootfs
    return read_only is not None and read_only.value


def pins(engine: Engine, container: str) -> list[str]:
    """Names of a container's volumes that only stand for a host folder and hold no data of their own."""
    try:
        mounts = engine.inspect(container).get("Mounts") or []
    except failures.ContainerGone:
        return []
    # One of which a part is mounted is shown as a bind mount with a name.
    names = dict.fromkeys(m["Name"] for m in mounts if m.get("Name"))
    pins = []
    for name in names:
        if "bind" in _options(engine.volume(name)).get("o", "").split(","):
            pins.append(name)
    return pins


def _options(volume: Volume | None) -> dict[str, str]:
    return (volume.get("Options") if volume is not None else None) or {}
