"""All that git itself would keep is kept: commits of branches and of none, tags, and what was stashed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.engine.interruption import Cancelled
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.review import bundles, collect, rescue
from tests.unit.review.copies import END, Copy, record
from tests.unit.review.test_bundles import commit, git


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    host = tmp_path / "host"
    git(tmp_path, "init", "-q", "-b", "main", str(host))
    for name, value in (("user.name", "a"), ("user.email", "a@b")):
        git(host, "config", name, value)
    (host / ".gitignore").write_text("*.secret\n")
    (host / "old.secret").write_text("old")
    git(host, "add", ".gitignore")
    commit(host, "a")
    git(host, "tag", "-m", "of the host", "v1")
    (host / "a").write_text("stashed on the host")
    git(host, "stash", "-q")
    (host / "a").write_text("stashed on the host again")
    git(host, "stash", "-q")
    return Copy(tmp_path, host)


def brought(copy: Copy) -> dict[str, str]:
    """The refs that the host gets, and their ids."""
    names = bundles.bring(str(copy.host), copy.changes().bundle_bytes(), "now")
    return {
        name.removeprefix("refs/sandboxd/now/"): git(copy.host, "rev-parse", name) for name in names
    }


def test_a_stash_is_kept(copy: Copy) -> None:
    stashes = []
    for text in ("first", "second"):
        (copy.inside / "a").write_text(text)
        git(copy.inside, "stash", "-q")
        stashes.insert(0, git(copy.inside, "rev-parse", "refs/stash"))
    assert brought(copy) == {"stash/0": stashes[0], "stash/1": stashes[1]}
    assert git(copy.host, "show", "refs/sandboxd/now/stash/1:a") == "first"


def test_commits_on_no_branch_are_kept(copy: Copy) -> None:
    git(copy.inside, "checkout", "-q", "--detach")
    head = commit(copy.inside, "b")
    git(copy.inside, "rm", "-q", "b")
    git(copy.inside, "commit", "-q", "-m", "nothing differs now")
    assert git(copy.inside, "rev-parse", "HEAD~1") == head
    assert brought(copy) == {"head": git(copy.inside, "rev-parse", "HEAD")}


def test_commits_that_a_tag_alone_names_are_kept(copy: Copy) -> None:
    git(copy.inside, "checkout", "-q", "--detach")
    commit(copy.inside, "b")
    git(copy.inside, "tag", "light")
    git(copy.inside, "tag", "-m", "m", "heavy")
    git(copy.inside, "checkout", "-q", "main")
    assert brought(copy) == {
        f"tags/{name}": git(copy.inside, "rev-parse", name) for name in ("heavy", "light")
    }


def test_a_branch_from_an_older_commit_is_kept(copy: Copy) -> None:
    commit(copy.host, "newer")
    shutil.rmtree(copy.inside)
    shutil.copytree(copy.host, copy.inside)
    git(copy.inside, "checkout", "-q", "-b", "topic", "main~1")
    head = commit(copy.inside, "b")
    assert brought(copy)["topic"] == head


def test_branches_that_are_called_as_ours_are_kept_beside_them(copy: Copy) -> None:
    (copy.inside / "a").write_text("x")
    git(copy.inside, "stash", "-q")
    commit(copy.inside, "b")
    for name in ("stash", "head", "tags/x"):
        git(copy.inside, "branch", name)
    git(copy.inside, "tag", "x")
    assert set(brought(copy)) == {"stash/0", "stash-2", "head", "tags/x", "tags-x-2", "main"}


def test_of_the_host_s_own_nothing_is_kept_again(copy: Copy) -> None:
    assert copy.changes().bundle is None
    git(copy.inside, "checkout", "-q", "--detach")
    assert copy.changes().bundle is None
    assert copy.changes().problem == ""


def test_what_is_not_looked_at_is_named_where_it_differs(copy: Copy) -> None:
    assert copy.changes().skipped == ()
    (copy.inside / "new.secret").write_text("new")
    (copy.inside / "old.secret").write_text("changed")
    nested = copy.inside / "nested"
    nested.mkdir()
    git(nested, "init", "-q")
    assert copy.changes().skipped == ("nested/.git", "new.secret", "old.secret")


def test_branches_that_git_cannot_list_are_a_problem(copy: Copy) -> None:
    commit(copy.inside, "b")
    git(copy.inside, "pack-refs", "--all")
    with open(copy.inside / ".git/packed-refs", "a") as file:
        file.write("no line of git\n")
    found = copy.changes()
    assert found.bundle is None and "packed-refs" in found.problem


def test_a_branch_whose_name_has_a_line_end_of_unicode_is_kept(copy: Copy) -> None:
    oid = commit(copy.inside, "b")
    git(copy.inside, "checkout", "-q", "--detach", "HEAD~1")
    git(copy.inside, "branch", "-q", "-D", "main")
    git(copy.inside, "update-ref", "refs/heads/x\u2028y", oid)
    assert oid in brought(copy).values()


def test_commits_that_cannot_be_packed_are_a_problem_and_nothing_else_is(copy: Copy) -> None:
    (copy.inside / "a").write_text("a work tree is in the stream already")
    assert copy.changes(largest_bundle=1).problem == ""
    commit(copy.inside, "b")
    assert copy.changes(largest_bundle=1).problem == "the commits are larger than 0 MiB"


class World:
    """What the sandbox says is `stream`; the rest of the engine is not asked."""

    def __init__(self, copy: Copy) -> None:
        self.copy, self.stream, self.during = copy, b"", list[str]()
        self.stopped = False
        self.engine = cast("Engine", SimpleNamespace(inspect=lambda _: self.inspected))
        self.inspected = {
            "Id": "c",
            "Name": "/c",
            "State": {"StartedAt": "2026-01-01T00:00:00Z"},
            "Mounts": [{"Destination": "/sandboxd/workspace", "RW": False}],
        }

    def fill(
        self, _engine: Any, _inspected: Any, workspace: str, spool: Any, stop_others: bool
    ) -> None:
        self.stopped = stop_others
        spool.expect("n")
        spool.write(1, b"n\n" + self.stream)
        self.during = collect.streams_of(workspace)


@pytest.fixture
def world(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    fake = World(copy)
    monkeypatch.setattr(collect, "_require_an_answer", lambda *_: None)
    monkeypatch.setattr(collect, "_fill", fake.fill)
    monkeypatch.setattr(collect, "let_go_on", lambda *_: setattr(fake, "stopped", False))
    yield fake
    shutil.rmtree(collect.folder(), ignore_errors=True)


def end(world: World, name: str = "") -> list[str]:
    messages: list[str] = []
    sandbox = sandbox_id(str(world.copy.host), name)
    with rescue.before_end(world.engine, "c", sandbox, messages.append):
        assert world.stopped
    return messages


def test_a_sandbox_does_not_end_whose_commits_cannot_be_packed(world: World) -> None:
    world.stream = record("end", skipped=[], count=0, more=0, problem="the commits are larger")
    with pytest.raises(EnvironmentFailure, match="its commits cannot be packed") as failed:
        end(world)
    assert "git bundle create" in failed.value.hint
    assert collect.streams_of(str(world.copy.host)) == []
    assert not world.stopped, "what runs inside does not go on"


def test_the_end_names_what_is_not_kept(world: World) -> None:
    world.stream = record("end", skipped=["my.secret"], count=0, more=2, problem="")
    assert end(world) == [
        "not kept, as git ignores it, a tool made it, or it is a repository's own folder: "
        "`my.secret` and 2 more"
    ]
    assert collect.streams_of(str(world.copy.host)) == []


@pytest.mark.parametrize("error", [Cancelled, KeyboardInterrupt, EnvironmentFailure("x", "y")])
def test_what_runs_inside_goes_on_when_the_end_is_given_up_after_all_is_kept(
    world: World, error: type[BaseException] | BaseException
) -> None:
    world.stream = record("file", "x", b"work") + END
    sandbox = sandbox_id(str(world.copy.host), "")
    with (
        pytest.raises((Cancelled, KeyboardInterrupt, EnvironmentFailure)),
        rescue.before_end(world.engine, "c", sandbox, lambda _: None),
    ):
        raise error
    assert not world.stopped


@pytest.mark.parametrize(
    "stream",
    [record("file", "../x", b"x") + END, record("file", "x", b"x"), b"[]\n", b""],
    ids=["leads out", "has no end", "is none", "is empty"],
)
def test_of_a_stream_that_is_not_believed_nothing_stays_on_disk(
    world: World, stream: bytes
) -> None:
    world.stream = stream
    with pytest.raises(EnvironmentFailure):
        end(world)
    assert os.listdir(collect.folder()) == []
    assert not world.stopped, "what runs inside does not go on"


def test_a_stream_counts_as_kept_only_when_it_is_whole(world: World) -> None:
    world.stream = record("file", "x", b"x") + END
    assert end(world) == ["1 change is kept: `sandboxd review` shows it all"]
    assert world.during == []
    assert len(collect.streams_of(str(world.copy.host))) == 1


def test_the_command_that_shows_what_is_kept_names_the_sandbox(world: World) -> None:
    world.stream = record("file", "x", b"x") + END
    assert end(world, "login") == ["1 change is kept: `sandboxd review --name login` shows it all"]


def test_a_repository_without_commits_has_nothing_to_keep(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    git(tmp_path / "host", "init", "-q")
    changes = Copy(tmp_path, tmp_path / "host").changes()
    assert (changes.bundle, changes.problem) == (None, "")
