"""Volumes of a container: those that stand for a host folder, and what may not be behind a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine


def refuse_other_device(engine: Engine, body: dict[str, Any]) -> None:
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


def pins(engine: Engine, container: str) -> list[str]:
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
