"""Pins of a running container that no longer hold, since a program on the host replaced the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life.mounted import replaced
from sandboxd.model.labels import PROJECT, SOURCES
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import inspection
from sandboxd.observe.controls import without_replaced

if TYPE_CHECKING:
    from sandboxd.engine.answers import Inspected
    from sandboxd.observe.control import Control


def without_gone(controls: tuple[Control, ...], inspected: Inspected) -> tuple[Control, ...]:
    """`controls`, with pins taken back whose files on the host were replaced."""
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    workspace = workspace_of(labels.get(PROJECT) or "")
    paths = replaced(labels.get(SOURCES) or "", workspace)
    if not paths:
        return controls
    return without_replaced(controls, inspection.container(inspected), workspace, paths)
