"""Device files that an image brings into a volume: gVisor of before August 2026 opens them on the host.

The engine fills a new volume with what the image has at its place, device files among it, and gVisor opened
those with the host's drivers (CVE-2026-96812). What is in the root file system itself, its overlay hides.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.engine.answers import CreateRequest, MountPoint
    from sandboxd.engine.client import Engine
    from sandboxd.life.volumes import Known

_MOST = 32 * 1024 * 1024


def leave_old_volumes(known: Known, body: CreateRequest) -> frozenset[str]:
    """Have the engine put nothing into existing volumes of a create request; returns these volumes.

    It would fill one of them that is empty; files from an earlier image were checked at that time.
    """
    old = set()
    for mount in body["HostConfig"].get("Mounts") or []:
        name = mount.get("Source") if mount.get("Type") == "volume" else ""
        if name and known.volume(name) is not None:
            mount["VolumeOptions"] = {**(mount.get("VolumeOptions") or {}), "NoCopy": True}
            old.add(name)
    return frozenset(old)


def refuse(
    engine: Engine,
    container: str,
    points: Iterable[MountPoint],
    old: frozenset[str],
    progress: Callable[[str], None],
) -> None:
    """Refuse a created container with a device file in a volume that the engine filled for it.

    :param points: its mounts
    :param old: volumes that existed before
    :raises EnvironmentFailure: there is a device file
    """
    for mount in points:
        target = mount.get("Destination") or ""
        if mount.get("Type") != "volume" or mount.get("Name") in old:
            continue
        answer = engine.archive(container, target, _MOST)
        content = answer[1] if answer is not None else b""
        name = device_file(content)
        if name:
            raise EnvironmentFailure(
                f"the image brings the device file `{name}` into the volume at `{target}`, which gVisor of "
                "before 17 August 2026 opens with the driver of the host",
                "use an image without it",
            )
        if len(content) == _MOST:
            progress(
                f"`{target}` holds more than {_MOST // 1024**2} MiB: not all of it was looked at for "
                "device files"
            )


def device_file(archive: bytes) -> str:
    """The first device file in a tar archive, which may end in the middle; '' where there is none."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|") as tar:
            for entry in tar:
                if entry.ischr() or entry.isblk():
                    return entry.name
    except tarfile.TarError:
        return ""
    return ""
