"""The guard of a container whose workspace the host moves in the same breath in which it replaces something in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.halt import record, words
from sandboxd.halt.points import What
from sandboxd.halt.record import Owner, Reason
from tests.unit.halt.played import PlayedEngine, guard_of, replace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    for below in ("sub", ".vscode"):
        (folder / below).mkdir(parents=True)
    for name in (".envrc", "sub/.envrc"):
        (folder / name).write_text("host")
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_what_was_replaced_in_a_folder_that_moved_is_put_aside_there(
    workspace: Path, environ: dict[str, str]
) -> None:
    engine, moved = PlayedEngine(), workspace.with_name("moved")
    guard = guard_of(engine, workspace)

    def act() -> None:
        replace(workspace / "sub/.envrc", "new of the host")
        (workspace / "sub/.envrc").write_text("evil")
        workspace.rename(moved)
        workspace.mkdir()
        (workspace / ".envrc").write_text("of another project")

    replace(workspace / ".envrc", "evil")
    engine.while_pausing = act
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and halt.place == str(moved)
    for name in (".envrc", "sub/.envrc"):
        assert (moved / name).read_text() == "host"
        assert (moved / f"{name}.halted").read_text() == "evil"
    assert (workspace / ".envrc").read_text() == "of another project"
    assert {entry.path: entry.what for entry in halt.entries} == {
        str(workspace): What.REPLACED,
        ".envrc": What.REPLACED,
        "sub/.envrc": What.REPLACED,
    }
    assert f"the folder is `{moved}` now" in words.describe(halt)
    assert record.load(environ, str(workspace), "c1") == halt


def test_of_a_folder_that_moved_the_rest_stays_as_it_is(
    workspace: Path, environ: dict[str, str]
) -> None:
    moved = workspace.with_name("moved")
    guard = guard_of(PlayedEngine(), workspace)
    workspace.rename(moved)
    # It compares the container's own table with the paths of the start, where nothing is.
    guard.has_lost_mounts()
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and [entry.what for entry in halt.entries] == [What.REMOVED]
    assert sorted(path.name for path in moved.iterdir()) == [".envrc", ".vscode", "sub"]


def test_a_folder_that_was_removed_is_nowhere(workspace: Path, environ: dict[str, str]) -> None:
    guard = guard_of(PlayedEngine(), workspace)
    for name in (".envrc", "sub/.envrc"):
        (workspace / name).unlink()
    for below in ("sub", ".vscode", ""):
        (workspace / below).rmdir()
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and halt.place == ""
    assert [entry.path for entry in halt.entries] == [str(workspace)]
    assert "the folder is" not in words.describe(halt)
