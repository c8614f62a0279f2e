"""A side behind a reporter is kept the same as a folder is."""

from __future__ import annotations

import errno
import mmap
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.sync import program, remote, wire
from sandboxd.sync.engine import SWEEP_SECONDS, Changed, Deaf
from sandboxd.sync.flows import Policy
from sandboxd.sync.inside import Watches
from sandboxd.sync.remote import Ended, RemoteSide
from sandboxd.sync.run import Rest
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason
from tests.patience import eventually
from tests.unit.sync.kept import ROOT, Kept
from tests.unit.sync.pair import texts


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_changes_pass_both_ways(kept: Kept) -> None:
    for number in range(remote._FEW_FILES + 5):
        (kept.host / f"f{number}").write_text(str(number))
    (kept.host / "d/e").mkdir(parents=True)
    (kept.host / "d/e/run").write_text("#!/bin/sh\n")
    (kept.host / "d/e/run").chmod(0o755)
    (kept.host / "link").symlink_to("d/e")
    (kept.inside / "from inside").write_text("text")
    assert kept.keep().rest is Rest.SAME
    assert kept.is_same()
    assert os.access(kept.inside / "d/e/run", os.X_OK)
    (kept.host / "d/e/run").rename(kept.host / "moved")
    (kept.host / "moved").chmod(0o644)
    (kept.inside / "f1").unlink()
    (kept.inside / "f2").write_text("edited inside")
    (kept.host / "link").unlink()
    (kept.host / "link").mkdir()
    assert kept.keep().rest is Rest.SAME
    assert kept.is_same()
    assert not (kept.host / "f1").exists()
    assert (kept.host / "f2").read_text() == "edited inside"
    assert (kept.inside / "link").is_dir()
    assert kept.folders.journal.roots is not None
    assert kept.folders.journal.roots.inside == ROOT


def test_large_files_pass_both_ways(kept: Kept) -> None:
    data = os.urandom(3 << 20)
    (kept.host / "in").write_bytes(data)
    (kept.inside / "out").write_bytes(data[::-1])
    assert kept.keep().rest is Rest.SAME
    assert (kept.inside / "in").read_bytes() == data
    assert (kept.host / "out").read_bytes() == data[::-1]


def test_a_file_that_acts_on_the_host_passes_in_alone(kept: Kept) -> None:
    (kept.host / ".envrc").write_text("by the user")
    (kept.host / "file").write_text("text")
    kept.keep()
    assert (kept.inside / ".envrc").read_text() == "by the user"
    (kept.inside / ".envrc").write_text("by somebody inside")
    (kept.inside / ".git/hooks").mkdir(parents=True)
    (kept.inside / ".git/hooks/pre-commit").write_text("x")
    (kept.inside / ".vscode").mkdir()
    (kept.inside / ".vscode/tasks.json").write_text("x")
    report = kept.keep()
    assert texts(kept.host) == {".envrc": "by the user", "file": "text"}
    assert {".envrc", ".vscode/tasks.json"} <= {stay.path for stay in report.last.stays}


def test_of_a_conflict_both_are_kept(kept: Kept) -> None:
    (kept.host / "file").write_text("before")
    kept.keep()
    (kept.host / "file").write_text("of the host")
    (kept.inside / "file").write_text("of inside")
    report = kept.keep()
    (conflict,) = report.conflicts
    assert (kept.inside / "file").read_text() == "of the host"
    assert (kept.inside / conflict.beside).read_text() == "of inside"
    assert kept.is_same()


def test_another_policy_holds_from_the_next_look_on(kept: Kept) -> None:
    (kept.host / "dist").mkdir()
    (kept.host / "dist/a").write_text("a")
    (kept.host / "file").write_text("text")
    kept.folders.policy = Policy(is_ignored=lambda path, _is_folder: path == "dist")
    kept.keep()
    assert texts(kept.inside) == {"file": "text"}
    kept.folders.policy = Policy()
    kept.keep()
    assert kept.is_same()
    kept.folders.policy = Policy(is_ignored=lambda path, _is_folder: path == "dist")
    (kept.host / "dist/a").write_text("edited")
    assert kept.keep().rest is Rest.SAME
    assert (kept.inside / "dist/a").read_text() == "a"


def test_a_change_inside_after_the_comparison_is_not_overwritten(kept: Kept) -> None:
    (kept.host / "file").write_text("before")
    kept.keep()
    (kept.host / "file").write_text("of the host")
    left = [True]

    def save() -> None:
        if left:
            left.pop()
            (kept.inside / "file").write_text("of inside")

    report = kept.keep(between=save)
    assert report.conflicts
    assert set(texts(kept.inside).values()) == {"of the host", "of inside"}


def test_a_full_disk_inside_removes_nothing(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    (kept.host / "old").write_text("text")
    kept.keep()
    (kept.host / "old").rename(kept.host / "new")
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if bytes(data) == b"text":
            raise OSError(errno.ENOSPC, "no space")
        return write(descriptor, data)

    monkeypatch.setattr("sandboxd.sync.writer.os.write", full)
    report = kept.keep()
    assert report.rest is Rest.HELD_UP
    assert [skip.is_full for skip in report.skips] == [True, False]
    assert texts(kept.inside) == {"old": "text"}
    monkeypatch.undo()
    assert kept.keep().rest is Rest.SAME
    assert texts(kept.inside) == {"new": "text"}


def test_what_a_killed_run_left_inside_is_gone(kept: Kept) -> None:
    (kept.host / "file").write_text("text")
    (kept.inside / f"{wire.TEMPORARY}0123").write_text("half")
    kept.keep()
    assert texts(kept.inside) == {"file": "text"}
    assert sorted(os.listdir(kept.inside)) == ["file"]


def test_a_folder_without_events_is_looked_at_each_time(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watches, "watch", lambda *_: False)
    (kept.host / "file").write_text("text")
    kept.keep()
    assert kept.events == [Deaf(Side.INSIDE, True)]
    (kept.inside / "file").write_text("edited")
    kept.keep()
    assert (kept.host / "file").read_text() == "edited"


def test_a_change_without_an_event_is_seen_in_time(kept: Kept) -> None:
    """As one is that a program makes in mapped memory."""
    path, now = kept.inside / "file", [0.0]
    kept.side = RemoteSide(kept.stream, ROOT, kept.events.append, clock=lambda: now[0])
    path.write_bytes(b"before")
    kept.keep()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:] = b"behind"
        mapped.flush()
        kept.keep()
        assert (kept.host / "file").read_bytes() == b"before"
        now[0] += SWEEP_SECONDS
        kept.keep()
    assert (kept.host / "file").read_bytes() == b"behind"


def test_everything_removed_inside_is_asked_about(kept: Kept) -> None:
    for number in range(20):
        (kept.host / f"f{number}").write_text(str(number))
    kept.keep()
    for path in kept.inside.iterdir():
        path.unlink()
    stop = kept.keep().last.stop
    assert stop is not None
    assert stop.reason is Reason.EMPTIED
    assert len(texts(kept.host)) == 20


# -- the program itself, in a process


class ProcessStream:
    """The program as it is sent in, on pipes."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-I", "-S", "-c", program.text(str(folder))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.reader, self.writer = self.process.stdout.fileno(), self.process.stdin.fileno()
        os.set_blocking(self.reader, False)
        os.set_blocking(self.writer, False)

    def receive(self) -> bytes | None:
        try:
            return os.read(self.reader, 1 << 16)
        except BlockingIOError:
            return None

    def send(self, data: memoryview) -> int:
        try:
            return os.write(self.writer, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self.process.kill()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@pytest.fixture
def process(kept: Kept) -> Iterator[ProcessStream]:
    stream = ProcessStream(kept.inside)
    kept.side = RemoteSide(stream, ROOT, kept.events.append)
    yield stream
    kept.side.end()
    stream.close()


def test_the_program_is_kept_the_same(kept: Kept, process: ProcessStream) -> None:
    for number in range(300):
        (kept.host / f"f{number}").write_bytes(os.urandom(1000))
    (kept.host / "large").write_bytes(os.urandom(5 << 20))
    (kept.inside / "out").write_bytes(bytes(4 << 20))
    assert kept.keep().rest is Rest.SAME
    assert {p.name: p.read_bytes() for p in kept.host.iterdir()} == {
        p.name: p.read_bytes() for p in kept.inside.iterdir()
    }


def test_a_change_inside_is_told_by_itself(kept: Kept, process: ProcessStream) -> None:
    (kept.host / "file").write_text("text")
    kept.keep()
    kept.events.clear()
    listener = threading.Thread(target=kept.side.hearing.run)
    listener.start()
    (kept.inside / "file").write_text("edited")
    eventually(lambda: Changed(Side.INSIDE) in kept.events)
    # Told once, until it is looked at.
    (kept.inside / "other").write_text("new")
    kept.keep()
    assert kept.is_same()
    kept.side.end()
    listener.join()
    assert len(kept.events) == 1


def test_a_killed_program_ends_the_run_and_the_next_one_goes_on(
    kept: Kept, process: ProcessStream
) -> None:
    for number in range(50):
        (kept.host / f"f{number}").write_text(str(number))
    with pytest.raises(Ended, match=r"ended|failed"):
        kept.keep(between=lambda: process.process.kill())
    stream = ProcessStream(kept.inside)
    kept.side = RemoteSide(stream, ROOT, kept.events.append)
    try:
        assert kept.keep().rest is Rest.SAME
        assert kept.is_same()
    finally:
        stream.close()


def test_it_listens_again_after_it_recovered_what_a_killed_run_left(kept: Kept) -> None:
    kept.keep()
    (kept.inside / f"{wire.TEMPORARY}old-1").write_text("somebody's")
    (kept.inside / f"{wire.TEMPORARY}2").write_text("ours")
    snapshot = kept.side.scan(Policy().excludes)
    kept.events.clear()
    kept.side.recover(snapshot.leftovers)
    assert kept.side.hearing._is_at_rest.is_set()
    # What has another name now is looked at.
    assert Changed(Side.INSIDE) in kept.events
    kept.keep()
    assert [path.read_text() for path in kept.host.iterdir()] == ["somebody's"]
