"""Copies files into a sandbox on a cluster and out of it, by the same rules as on this machine."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.operations import copying
from sandboxd.operations.on_cluster._work import inside
from sandboxd.operations.on_cluster.target import blaming_pod, running_pod

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.review.copy_out import Copied


def copy_in(target: Target, source: str, path: str) -> int:
    """Copy `source` of this machine to `path` inside; return the number of files.

    :raises SandboxdError: as `operations.copying.put`, or no sandbox runs there
    """
    uid = running_pod(target)["metadata"]["uid"]
    full = posixpath.join(target.here, path)
    with blaming_pod(target, uid):
        return copying.put(inside(target), target.workspace, source, full)


def copy_out(target: Target, path: str, to: str, include: Collection[str]) -> Copied:
    """Copy `path` inside to `to` of this machine.

    :raises SandboxdError: as `operations.copying.fetch`, or no sandbox runs there
    """
    uid = running_pod(target)["metadata"]["uid"]
    full = posixpath.join(target.here, path)
    with blaming_pod(target, uid):
        return copying.fetch(inside(target), target.workspace, full, to, include)
