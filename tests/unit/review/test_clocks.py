"""A clock that is set between copy and review: the host's edits stay, and the newest kept work is the newest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.review import changes, collect, host_times, streams, weigh
from sandboxd.review.changes import Changes
from sandboxd.review.weigh import Item
from tests.unit.review.copies import END, Copy, record

YEAR = 365 * 24 * 3600 * 10**9


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    (root / "d/.git").mkdir(parents=True)
    for name in ("a.py", "b.py", "d/c.py"):
        (root / name).write_text("one\n")
    return root


def reviewed(copy: Copy, times: object) -> dict[str, Item]:
    read = copy.changes()
    assert times is not None
    whole: Changes = changes.with_times(read, times)  # type: ignore[arg-type]
    # As another process reads it later.
    assert changes.read(whole.path).times == whole.times
    return {item.path: item for item in weigh.items(changes.read(whole.path))}


@pytest.mark.parametrize(
    "error", [-YEAR, 0, YEAR], ids=["set forward since", "right", "set back since"]
)
def test_what_the_host_changed_stays(tmp_path: Path, host: Path, error: int) -> None:
    times = host_times.survey(str(host))
    copy = Copy(tmp_path, host)
    copy.started += error
    (host / "a.py").write_text("the host's\n")
    (host / "new.py").write_text("the host's\n")
    (copy.inside / "a.py").write_text("the sandbox's\n")
    (copy.inside / "b.py").write_text("the sandbox's\n")
    (copy.inside / "d/c.py").unlink()
    items = reviewed(copy, times)
    assert {path: item.kind for path, item in items.items()} == {
        "a.py": "changed", "b.py": "changed", "d/c.py": "deleted",
    }  # fmt: skip
    assert "on the host, too" in items["a.py"].blocked
    assert not items["b.py"].blocked and not items["d/c.py"].blocked


def test_a_file_that_only_the_host_changed_is_no_change(tmp_path: Path, host: Path) -> None:
    times = host_times.survey(str(host))
    copy = Copy(tmp_path, host)
    copy.started += YEAR
    (host / "a.py").write_text("the host's\n")
    assert reviewed(copy, times) == {}


def test_a_sandbox_says_nothing_of_the_times(tmp_path: Path, host: Path) -> None:
    """What it writes behind its stream is not there any more when the file is kept."""
    copy = Copy(tmp_path, host)
    forged = record("file", "a.py", b"x") + END + b'{"times": {"a.py": [1, 1]}}\n'
    whole = changes.with_times(copy.read(forged), None)
    assert whole.times is None and changes.read(whole.path).times is None


def test_times_belong_to_one_copy_of_one_sandbox(host: Path) -> None:
    host_times.note("/w", "volume 1", str(host))
    times = host_times.recall("/w", "volume 1")
    assert times is not None and times == host_times.survey(str(host))
    assert set(times) == {"a.py", "b.py", "d", "d/c.py", "d/.git"}
    assert host_times.recall("/w", "volume 2") is None
    assert host_times.recall("/other", "volume 1") is None
    host_times.forget("/w")
    assert host_times.recall("/w", "volume 1") is None


def test_of_too_large_a_workspace_nothing_is_noted(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_times, "MOST", 3)
    host_times.note("/w", "volume 1", str(host))
    assert host_times.recall("/w", "volume 1") is None


def test_the_newest_kept_work_is_the_newest_whatever_the_clock_said() -> None:
    folder = Path(collect.folder())
    folder.mkdir(parents=True)
    for number in range(1, streams.MOST_OF_A_SANDBOX + 2):
        path = folder / f"{number}.changes"
        path.write_bytes(changes.header("/a", "c", 0, number=number))
        # Each one was written by a clock that stood further back.
        os.utime(path, (1000 - number, 1000 - number))
    names = [os.path.basename(path) for path in collect.streams_of("/a")]
    assert names[0] == f"{streams.MOST_OF_A_SANDBOX + 1}.changes"
    streams.prune()
    assert {path.name for path in folder.iterdir()} == set(names[:-1])
