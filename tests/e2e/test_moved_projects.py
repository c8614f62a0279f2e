"""A project whose folder is moved on the host: its sandbox works on, in a copy of its own, without what it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import rights_world
from tests.e2e.internet_of_engine import engine, internet, private_engine, runtime
from tests.e2e.rights_world import Sandbox
from tests.e2e.test_taking_back import EVERYTHING, box, image, reached

__all__ = ["box", "engine", "image", "internet", "private_engine", "reached", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES = rights_world.NAMES


def test_a_moved_project_leaves_its_sandbox_nothing(box: Sandbox, tmp_path: Path) -> None:
    """Also one of whose mounts none went, so that nothing halts it; nobody follows a config at its new place."""
    top, _, tables = box.text.partition("\n\n")
    box.text = f'{top}\n\n[workspace]\nlayout = "clone"\n\n{tables}'
    box.config.write_text(box.text)
    for moved in (box.project, box.project.parent):
        box.give_everything()
        box.wait_for(EVERYTHING, f"before {moved} was moved")
        elsewhere = moved.with_name(f"{moved.name}-moved")
        moved.rename(elsewhere)
        try:
            box.wait_for(frozenset(), f"after {moved} was moved")
            said = " ".join(box.world.run("status", cwd=tmp_path.parent).stdout.split())
            assert "its folder is gone, and its sandbox runs on" in said, said
            assert "its gateway lets nothing through" in said, said
        finally:
            elsewhere.rename(moved)
        box.wait_for(EVERYTHING, f"after {moved} came back")
