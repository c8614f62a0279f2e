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

    from sandboxd.engine.client import Engine
    from sandboxd.life.volumes import Known
    from sandboxd.model.engine_answers import CreateRequest, MountPoint

_MOST = 32 * 1024 * 1024


def leave_old_volumes(known: Known, body: CreateRequest) -> frozenset[str]:
    """Set `NoCopy` on the existing volumes of a create request, and return the names of these volumes.

    Otherwise the engine would fill an empty one from the image. Files that an earlier image left were checked then.
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
    """Refuse a created container if the engine copied a device file from the image into one of its volumes.

    :param points: the container's mounts
    :param old: names of volumes that existed before and are not checked
    :param progress: called with a message where a volume is too large to be checked as a whole
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
    """The path of the first device file in a tar archive; '' if there is none. The archive may be truncated."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|") as tar:
            for entry in tar:
                if entry.ischr() or entry.isblk():
                    return entry.name
    except tarfile.TarError:
        return ""
    return ""
