"""The subnet of a project: the same each time, another one for each project, and given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.egress import layout
from sandboxd.state import subnets


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_each_project_has_its_own_as_long_as_there_are_any(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "POOLS", ("198.18.0.0/16", "10.128.0.0/16"))
    every = layout.subnets()
    assert len(every) == 16
    for number in range(len(every)):
        workspace = f"/p/{number}"
        subnet = subnets.subnet_of(environ, workspace)
        subnets.note(environ, workspace, subnet)
        assert subnets.subnet_of(environ, workspace) == subnet
    folder = Path(environ["XDG_STATE_HOME"], "sandboxd/subnets")
    assert sorted(path.read_text().strip() for path in folder.iterdir()) == sorted(every)
    # The engine refuses it where the other project is up, and the next free one is noted.
    assert subnets.subnet_of(environ, "/p/one-more") in every


def test_the_range_of_nobody_comes_first(environ: dict[str, str]) -> None:
    first = layout.subnets_of(layout.POOLS[0])
    for number in range(len(first)):
        subnet = subnets.subnet_of(environ, f"/p/{number}")
        assert subnet in first
        subnets.note(environ, f"/p/{number}", subnet)
    assert subnets.subnet_of(environ, "/p/later") not in first


def test_a_claimed_subnet_is_given_back(environ: dict[str, str]) -> None:
    subnets.note(environ, "/p/a", "198.18.64.0/19")
    assert subnets.subnet_of(environ, "/p/a") == "198.18.64.0/19"
    subnets.forget(environ, "/p/a")
    subnets.forget(environ, "/p/a")
    assert list(Path(environ["XDG_STATE_HOME"], "sandboxd/subnets").iterdir()) == []


@pytest.mark.parametrize("text", ["", "0.0.0.0/0", "198.18.0.0/16", "nonsense", "\xff", "x" * 200])
def test_another_text_than_a_subnet_counts_for_nothing(environ: dict[str, str], text: str) -> None:
    proposed = subnets.subnet_of(environ, "/p/a")
    subnets.note(environ, "/p/a", proposed)
    (path,) = Path(environ["XDG_STATE_HOME"], "sandboxd/subnets").iterdir()
    path.write_text(text, encoding="latin-1")
    assert subnets.subnet_of(environ, "/p/a") == proposed


def test_without_a_folder_that_can_be_written_it_is_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ = {"XDG_STATE_HOME": str(tmp_path / "file")}
    subnet = subnets.subnet_of(environ, "/p/a")
    subnets.note(environ, "/p/a", subnet)
    assert subnets.subnet_of(environ, "/p/a") == subnet
