"""`prune` shows the git directories of sandboxes that are gone, and frees none with commits that nobody else has."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.exchange import leftover
from sandboxd.operations import prune
from sandboxd.operations.options import PruneOptions
from sandboxd.operations.prune import kinds
from sandboxd.operations.prune.kinds import git_directories
from sandboxd.operations.request import Request
from tests.unit.exchange.two_sides import Sides, make


class World:
    """One named sandbox with a git directory, which is down; `running` are the sandboxes that the engine has."""

    def __init__(self, base: Path, name: str) -> None:
        self.running: list[str] = []
        self.environ = {"XDG_STATE_HOME": str(base / "state")}
        self.sides = Sides(make(base), base, f"//{name}" if name else "")
        self.sides.name = name
        self.sandbox = f"{self.sides.folder}//{name}" if name else str(self.sides.folder)
        leftover.note(self.sides.place, self.sandbox)
        self.sides.exchange()
        self.told: list[str] = []

    def prune(self, **options: bool) -> tuple[str, str, bool]:
        """State, words and fate of the one row."""
        request = Request(
            "/", self.environ, dict(PruneOptions(**options)), lambda: cast("Engine", Played()),
            progress=lambda step: self.told.append(step.text),
        )  # fmt: skip
        (row,) = prune.serve(request).rows
        return row.state, row.about, row.is_freed


class Played:
    host = "unix:///played"


@pytest.fixture(params=["login"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(kinds, "_names", lambda: ["git_directories"])
    world = World(tmp_path, request.param)
    monkeypatch.setattr(
        git_directories,
        "sandboxes_of",
        lambda _, sandbox: [s for s in world.running if s == sandbox],
    )
    return world


def test_one_whose_commits_are_all_on_the_host_goes_with_what_it_held(world: World) -> None:
    sides = world.sides
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    sides.exchange()
    assert "held" in sides.host("for-each-ref")
    assert world.prune() == ("unused", f"git of {sides.folder} --name login", False)
    assert world.prune(frees=True)[2]
    assert not os.path.lexists(sides.place.folder)
    assert "held" not in sides.host("for-each-ref")
    sides.host("fsck", "--strict")


def test_one_with_a_commit_that_the_host_has_not_stays_whatever_is_asked(world: World) -> None:
    sides = world.sides
    oid = sides.inside("commit-tree", "-p", "main", "-m", "inside", "main^{tree}").strip()
    sides.inside("update-ref", "refs/heads/mine", oid)
    state, about, freed = world.prune(frees=True, with_work=True)
    assert (state, freed) == ("work", False)
    assert "it has commits that the host has not" in about
    assert any("stays: it has commits that the host has not" in text for text in world.told)
    assert os.path.isdir(sides.place.inside)


@pytest.mark.parametrize("kind", ["stash", "detached", "tag", "held only", "unreadable"])
def test_what_else_would_be_lost_keeps_it(world: World, kind: str) -> None:
    sides = world.sides
    oid = sides.inside("commit-tree", "-p", "main", "-m", "inside", "main^{tree}").strip()
    if kind == "stash":
        sides.write("file", "work\n")
        sides.inside("stash", "-q")
    elif kind == "detached":
        Path(sides.place.inside, "HEAD").write_text(f"{oid}\n")
    elif kind == "tag":
        sides.inside("tag", "mine", oid)
    elif kind == "held only":
        sides.host("commit", "--allow-empty", "-qm", "before")
        sides.exchange()
        sides.host("commit", "--amend", "--allow-empty", "-qm", "after")
        lost = sides.host("rev-parse", "HEAD@{1}").strip()
        sides.host("update-ref", "refs/sandboxd/login/held/" + lost, lost)
    else:
        Path(sides.place.inside, "refs/heads/x").mkdir()
        Path(sides.place.inside, "refs/heads/x/y").write_text("nonsense\n")
    assert world.prune(frees=True, with_work=True)[::2] == ("work", False)


def test_what_waits_on_the_host_stays_there(world: World) -> None:
    sides = world.sides
    for side in (sides.inside, sides.host):
        side("commit", "--allow-empty", "-qm", "both")
    sides.host("commit", "--allow-empty", "-qm", "further")
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    (waiting,) = sides.exchange().waiting
    assert world.prune(frees=True)[::2] == ("unused", True)
    assert waiting.ref in sides.host("for-each-ref")


def test_commits_of_a_submodule_are_nowhere_else(world: World) -> None:
    path = Path(world.sides.place.inside, "modules/lib/objects/ab/cdef")
    path.parent.mkdir(parents=True)
    path.write_text("")
    state, about, freed = world.prune(frees=True, with_work=True)
    assert (state, freed) == ("work", False)
    assert "submodules" in about


def test_one_that_a_sandbox_has_is_in_use(world: World) -> None:
    world.running.append(world.sandbox)
    assert world.prune(frees=True, with_work=True)[::2] == ("in use", False)


@pytest.mark.parametrize("world", [""], indirect=True)
def test_one_that_the_next_up_goes_on_with_stays_unless_that_is_asked(world: World) -> None:
    assert world.prune(frees=True)[::2] == ("work", False)
    assert world.prune(frees=True, with_work=True)[::2] == ("work", True)


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize("world", [""], indirect=True)
def test_one_of_a_workspace_that_is_gone_goes_if_all_had_passed(world: World, passed: bool) -> None:
    sides = world.sides
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    if passed:
        sides.exchange()
    shutil.rmtree(sides.folder)
    assert world.prune(frees=True)[::2] == (("unused", True) if passed else ("work", False))


def test_one_of_which_nobody_knows_whose_it_is_stays(world: World) -> None:
    Path(world.sides.place.sandbox).unlink()
    state, about, freed = world.prune(frees=True, with_work=True)
    assert (state, freed) == ("work", False)
    assert "not known whose" in about
    # Nor does a record count that names another place.
    Path(world.sides.place.sandbox).write_text("/elsewhere")
    assert "not known whose" in world.prune()[1]


def test_folders_that_are_nested_without_end_hold_nothing_up(world: World) -> None:
    """A sandbox can make them; a way down that calls itself would end the command."""
    place, outside = world.sides.place, world.sides.folder.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = os.open(place.inside, os.O_RDONLY)
    os.symlink(outside, "link", dir_fd=folder)
    for _ in range(2 * sys.getrecursionlimit()):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    assert leftover.size_of(place) > 0
    leftover.remove(place, world.sandbox)
    assert not os.path.lexists(place.folder)
    assert (outside / "kept").exists()
