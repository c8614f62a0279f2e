"""What goes with a container that is removed, and what the next one of its sandbox has again, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.plan.lasting import CACHES
from sandboxd.plan.layout import HOME

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected


def sentence_of(engine: Engine, container: str) -> str:
    """The `sentence` about a container; '' where the engine cannot describe it.

    :param container: its id
    """
    try:
        return sentence(engine.inspect(container))
    except EnvironmentFailure:
        return ""


def sentence(inspected: Inspected) -> str:
    """A sentence about what goes with a container, and what stays for the next one."""
    folder = inspected["Config"].get("WorkingDir") or "/"
    tmpfs = inspected["HostConfig"].get("Tmpfs") or {}
    below = f"{folder.rstrip('/')}/"
    memory = sorted(
        target.removeprefix(below)
        for target, options in tmpfs.items()
        if target.startswith(below) and "rw" in options.split(",")
    )
    volumes = {
        mount.get("Destination")
        for mount in inspected.get("Mounts") or []
        if mount.get("Type") == "volume"
    }
    home = f" and `{HOME}`" if HOME in volumes else ""
    name = inspected["Name"].lstrip("/")
    parts = [
        f"`{name}` ended: what was installed or written outside of the workspace{home} is gone"
    ]
    if memory:
        is_one = len(memory) == 1
        names = ", ".join(f"`{each}`" for each in memory)
        parts.append(
            f", and so {'is' if is_one else 'are'} {names}, which {'was' if is_one else 'were'} in memory"
        )
    if CACHES in volumes:
        parts.append("; caches of packages stay")
    return "".join(parts)
