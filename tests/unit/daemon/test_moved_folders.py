"""A project whose folder goes: its sandboxes are looked at again, by whatever way it went and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.daemon import watch, watching
from sandboxd.daemon.keeper import Keeper
from tests.patience import until
from tests.unit.daemon.test_keeper import ENGINE, environ


@pytest.mark.asyncio
@pytest.mark.parametrize("is_above", [False, True], ids=["itself", "one above"])
async def test_a_folder_that_goes_and_comes_back_changes_what_its_sandboxes_may_have(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, is_above: bool
) -> None:
    """No comparison of all files is needed for it."""
    monkeypatch.setattr(watch, "SWEEP_SECONDS", 1e6)
    monkeypatch.setattr(watching, "FOLDER_SECONDS", 0.02 if is_above else 1e6)
    above = own_home / "above"
    folder = above / "app"
    folder.mkdir(parents=True)
    (folder / "sandboxd.toml").write_text('image = "a"\n')
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    monkeypatch.setattr(keeper.places, "workspaces", lambda: frozenset({str(folder)}))
    keeper.watching._used = keeper.places.workspaces
    await keeper.start()
    await keeper.register(str(folder), ENGINE)
    refreshed: list[tuple[str, bool]] = []
    for name, owner in (("names", keeper.gateways), ("keys", keeper.local_rights)):

        def refresh(_path: str, name: str = name) -> None:
            refreshed.append((name, folder.exists()))

        monkeypatch.setattr(owner, "refresh", refresh)
    moved = above if is_above else folder
    elsewhere = own_home / "elsewhere"
    moved.rename(elsewhere)
    await until(lambda: {("names", False), ("keys", False)} <= {*refreshed})
    elsewhere.rename(moved)
    await until(lambda: {("names", True), ("keys", True)} <= {*refreshed})
    await keeper.close()
