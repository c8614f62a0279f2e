"""Leaves the certificates of `network_ca` out of a sandbox whose engine cannot mount them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life import sources
from sandboxd.plan.network_ca import FOLDER, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import CreateRequest


def leave_out_elsewhere(
    engine: Engine, body: CreateRequest, progress: Callable[[str], None]
) -> None:
    """Take the mounts and the variables out of `body` where the engine cannot bind a file of this user.

    :param progress: called with a message if that is so
    """
    mounts = body["HostConfig"].get("Mounts") or []
    rest = [mount for mount in mounts if not mount["Target"].startswith(f"{FOLDER}/")]
    if len(rest) == len(mounts) or sources.can_read_ours(engine):
        return
    body["HostConfig"]["Mounts"] = rest
    body["Env"] = without(body["Env"])
    progress(
        "the certificates of `network_ca` are left out: this engine cannot bind a file of this user; "
        "have them in the image"
    )
