"""Shows the mount of a part of a volume as the bind mount that it is, where the volume stands for a folder of the host.

Docker names in its answer neither the part nor the folder, except where the request for the container does.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, cast

from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.model.subpath_volumes import is_of_workspace

if TYPE_CHECKING:
    from sandboxd.model.engine_answers import Inspected, MountPoint, MountRequest


def as_binds(answer: Inspected) -> Inspected:
    """`answer` with a bind mount of the host's folder for each such mount; a mount point keeps the volume's name."""
    host = answer.get("HostConfig") or {}
    requests = host.get("Mounts") or []
    labels = (answer.get("Config") or {}).get("Labels") or {}
    workspace = workspace_of(labels.get(PROJECT) or "")
    sources = {
        request["Target"]: source for request in requests if (source := _source(request, workspace))
    }
    if not sources:
        return answer
    points = [_point(point, sources) for point in answer.get("Mounts") or []]
    binds = [_request(request, sources) for request in requests]
    return cast("Inspected", {**answer, "Mounts": points, "HostConfig": {**host, "Mounts": binds}})


def _source(request: MountRequest, workspace: str) -> str:
    """The folder or file of the host that is mounted; '' for another kind of mount."""
    options = request.get("VolumeOptions") or {}
    part = options.get("Subpath")
    if request["Type"] != "volume" or not part:
        return ""
    device = ((options.get("DriverConfig") or {}).get("Options") or {}).get("device")
    # Compose makes its volumes first, and the request for the container has their names alone.
    if not device and is_of_workspace(request.get("Source") or "", workspace):
        device = workspace
    return posixpath.join(device, part) if device else ""


def _point(point: MountPoint, sources: dict[str, str]) -> MountPoint:
    source = sources.get(point["Destination"])
    if source is None:
        return point
    return {**point, "Type": "bind", "Source": source}


def _request(request: MountRequest, sources: dict[str, str]) -> MountRequest:
    source = sources.get(request["Target"])
    if source is None:
        return request
    return {
        "Type": "bind",
        "Source": source,
        "Target": request["Target"],
        "ReadOnly": bool(request.get("ReadOnly")),
    }
