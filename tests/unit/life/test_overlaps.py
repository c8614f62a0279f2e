"""The hint where another sandbox can write what would be mounted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Summary
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import overlaps
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from tests.unit.plan.examples import plan

AGAIN = (
    "; where that fails with `can not be killed`, do it again: a paused gVisor has ended by then"
)


@pytest.mark.parametrize("project", ["/w", "/w/inner"])
@pytest.mark.parametrize(("state", "more"), [("running", ""), ("paused", AGAIN)])
def test_an_editors_sandbox_is_stopped_by_hand(project: str, state: str, more: str) -> None:
    editors = Summary("c1", "dreamy_turing", "image", state, {PROJECT: project}, 0)
    hint = overlaps._refusal(editors, "/w", "/w").hint
    assert hint.endswith(f": `docker stop dreamy_turing`{more}")


def test_one_of_up_is_ended_by_its_own_command() -> None:
    ours = Summary("c1", "ours", "image", "paused", {PROJECT: "/w/inner//a", MADE_BY: UP}, 0)
    assert overlaps._refusal(ours, "/w", "/w").hint == (
        "end it first: `sandboxd down --project /w/inner --name a`"
    )


class _Engine:
    """One running sandbox, which can write the folder `source`."""

    def __init__(self, source: Path) -> None:
        self.source = str(source)

    def containers(self, _label: str) -> list[Summary]:
        return [Summary("c1", "other", "image", "running", {PROJECT: self.source, MADE_BY: UP}, 0)]

    def inspect(self, _container: str) -> dict[str, Any]:
        return {"HostConfig": {"Mounts": [{"Type": "bind", "Source": self.source}]}}


def test_who_can_exchange_an_extra_folder_is_refused(tmp_path: Path) -> None:
    library = tmp_path / "group/lib"
    library.mkdir(parents=True)
    mine = plan()._replace(workspace=str(tmp_path / "app"), extra_folders=(str(library),))
    above, itself, beside = _Engine(tmp_path / "group"), _Engine(library), _Engine(tmp_path / "x")
    with pytest.raises(EnvironmentFailure, match=f"mounted from `{library}`"):
        overlaps.refuse(above, mine)  # type: ignore[arg-type]
    # It cannot replace the folder that it has, and nothing of it is written here.
    overlaps.refuse(itself, mine)  # type: ignore[arg-type]
    overlaps.refuse(beside, mine)  # type: ignore[arg-type]
