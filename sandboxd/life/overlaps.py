"""Refuses to mount a folder of the host that another running sandbox can write.

An engine mounts by path. Between our check and the mount, a program that can write a folder can exchange a folder on
the path, or in it (RENAME_EXCHANGE), so that the container gets another file or folder of the host.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.halt.words import end_by_hand
from sandboxd.life import halts
from sandboxd.life.states import holds_work
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.model.sandbox_id import name_of, option_of, workspace_of

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.plan.plan import Plan


def refuse(
    engine: Engine, plan: Plan, own: str = "", present: Sequence[Summary] | None = None
) -> None:
    """Refuse to mount the workspace of `plan` while another running sandbox can write it, a folder above it, or one in
    it; and its extra folders and its repository while one can write a folder above these.

    If the plan works on a private copy, only sandboxes that can write a folder above it count.

    :param own: the id of the container that is about to start, which is left out; '' for none
    :param present: the containers of all projects, if the caller just listed them; None: the engine is asked
    :raises Halted: such a sandbox exists and is halted
    :raises EnvironmentFailure: such a sandbox exists
    """
    workspace = plan.workspace
    meant = [workspace, *plan.extra_folders]
    if plan.repository is not None:
        meant.append(plan.repository.source)
    for container in engine.containers(PROJECT) if present is None else present:
        if container.id == own or not holds_work(container.state):
            continue
        # A sandbox can write its own project at most, so the others need not be looked at.
        project = workspace_of(container.labels[PROJECT])
        if not any(_overlap(project, path) for path in meant):
            continue
        try:
            inspected = engine.inspect(container.id)
        except failures.ContainerGone:
            continue
        writable = list(writable_folders(inspected))
        for source in writable:
            # A program inside cannot replace a path that is a mount of its own.
            copied = [path for path in meant if path not in writable and _is_below(path, source)]
            if not plan.prepare and _overlap(workspace, source):
                copied = [workspace]
            if copied:
                halts.refuse_halted(engine, container)
                raise _refusal(container, source, copied[0])


def writable_folders(inspected: Inspected) -> Iterator[str]:
    """Yield the folders and files of the host that a container can write, as its create request named them."""
    host_config = inspected.get("HostConfig") or {}
    for bind in host_config.get("Binds") or []:
        source, _, rest = bind.partition(":")
        if source.startswith("/") and "ro" not in rest.partition(":")[2].split(","):
            yield source
    for mount in host_config.get("Mounts") or []:
        if mount.get("Type") == "bind" and not mount.get("ReadOnly"):
            yield str(mount.get("Source") or "")
    # Compose and older engines say it here alone.
    for point in inspected.get("Mounts") or []:
        if point.get("Type") == "bind" and point.get("RW"):
            yield str(point.get("Source") or "")


def _overlap(one: str, other: str) -> bool:
    one, other = _real(one), _real(other)
    return one.startswith(other) or other.startswith(one)


def _is_below(path: str, folder: str) -> bool:
    path, folder = _real(path), _real(folder)
    return path != folder and path.startswith(folder)


def _real(path: str) -> str:
    return os.path.realpath(path).rstrip("/") + "/"


def _refusal(container: Summary, source: str, workspace: str) -> EnvironmentFailure:
    project, name = workspace_of(container.labels[PROJECT]), name_of(container.labels[PROJECT])
    by_us = container.labels.get(MADE_BY) == UP
    stop = f"docker stop {container.name}"
    by_hand = end_by_hand(stop) if container.state == "paused" else f"`{stop}`"
    if os.path.realpath(project) == os.path.realpath(workspace) and not by_us:
        return EnvironmentFailure(
            f"an editor's sandbox of this project runs, `{container.name}`, and could exchange what is "
            "mounted",
            "use it (`sandboxd exec`, `shell`, `verify` do), or end it, then run the command again: "
            f"{by_hand}",
        )
    return EnvironmentFailure(
        f"the sandbox of `{project}` runs and can write `{source}`, so it could exchange what is "
        f"mounted from `{workspace}`",
        f"end it first: `sandboxd down --project {shlex.quote(project)}{option_of(name)}`"
        if by_us
        else f"end it first: {by_hand}",
    )
