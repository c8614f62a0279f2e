"""Old streams of changes go, the newest of a project never does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.review import changes, collect, streams


def stream(name: str, workspace: str, written: int, size: int = 100) -> Path:
    folder = Path(collect.folder())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.changes"
    head = changes.header(workspace, "c", 0)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(max(size, len(head)))
    os.utime(path, (written, written))
    return path


def left() -> set[str]:
    return {path.name.removesuffix(".changes") for path in Path(collect.folder()).iterdir()}


def test_the_newest_of_each_project_are_kept() -> None:
    for number in range(streams.MOST_OF_A_SANDBOX + 2):
        stream(f"a{number}", "/a", 1000 + number)
    stream("b", "/b", 1)
    messages = streams.prune()
    assert left() == {"b", *(f"a{n}" for n in range(2, streams.MOST_OF_A_SANDBOX + 2))}
    assert [line.partition("`: ")[2] for line in messages] == [
        "only the newest 5 of a sandbox are kept"
    ] * 2
    assert f"`{collect.folder()}/a1.changes`" in messages[0]
    assert streams.prune() == []


def test_all_together_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_BYTES", 3000)
    for name, workspace, written, size in (
        ("a-new", "/a", 50, 2000),
        ("b-new", "/b", 40, 2000),
        ("a-old", "/a", 30, 500),
        ("b-old", "/b", 20, 500),
        ("c-new", "/c", 10, 9000),
    ):
        stream(name, workspace, written, size)
    messages = streams.prune()
    assert left() == {"a-new", "b-new", "c-new"}
    assert len(messages) == 2


def test_one_small_enough_stays_behind_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_BYTES", 3000)
    stream("new", "/a", 50, 2000)
    stream("large", "/a", 40, 2000)
    stream("small", "/a", 30, 500)
    assert len(streams.prune()) == 1
    assert left() == {"new", "small"}


def test_as_much_as_may_be_kept_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_BYTES", 3000)
    stream("new", "/a", 50, 2000)
    stream("old", "/a", 40, 1000)
    assert streams.prune() == []
    monkeypatch.setattr(streams, "MOST_BYTES", 2999)
    assert len(streams.prune()) == 1
    assert left() == {"new"}


def test_what_is_no_stream_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_OF_A_SANDBOX", 1)
    assert streams.prune() == []
    stream("new", "/a", 50)
    stream("old", "/a", 40)
    folder = Path(collect.folder())
    (folder / "begun.changes").write_bytes(b"")
    (folder / "notes.txt").write_bytes(changes.header("/a", "c", 0))
    streams.prune()
    assert left() == {"new", "begun", "notes.txt"}


def test_what_was_never_finished_counts_for_nothing_and_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream("kept", "/a", 1000)
    for number in range(streams.MOST_OF_A_SANDBOX):
        path = stream(f"torn{number}", "/a", 2000 + number)
        path.rename(path.with_name(path.name + collect.UNFINISHED))
    monkeypatch.setattr("time.time", lambda: 2001 + collect.TOTAL_SECONDS)
    assert collect.streams_of("/a") == [f"{collect.folder()}/kept.changes"]
    assert streams.prune() == []
    torn = {name for name in left() if name.startswith("torn")}
    # Somebody may still write to the newer ones.
    assert torn == {f"torn{number}.changes{collect.UNFINISHED}" for number in range(1, 5)}
    assert "kept" in left()
