"""The record: what was written is found again, and what was changed or cut is seen."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.audit import entry as entry_module
from sandboxd.audit import marks as marks_module
from sandboxd.audit import record as record_module
from sandboxd.audit.chain import Reading, check
from sandboxd.audit.entry import LONGEST_LINE, LONGEST_TEXT, MOST_ITEMS, Entry, line, read
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.file_lock import locked


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(str(tmp_path / "audit"))


def fill(record: Record, count: int, **facts: Any) -> None:
    for number in range(count):
        record.append("start", "/home/ann/app", "ann", {"nth": number, **facts}, 1000.0 + number)


def reading(record: Record) -> Reading:
    return check(record.files(), record.marks())


def faults(record: Record) -> list[str]:
    return [f"{fault.number}: {fault.what}" for fault in reading(record).faults]


def only_file(record: Record) -> Path:
    (path,) = Path(record.folder).glob("record-*.jsonl")
    return path


def change(record: Record, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    path = only_file(record)
    path.write_bytes(b"\n".join([*edit(path.read_bytes().splitlines()), b""]))


def test_who_stands_still_with_the_lock_holds_nobody_up_for_ever(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_module, "_LOCK_SECONDS", 0.1)
    fill(record, 1)
    with locked(record._path("lock")), pytest.raises(RecordFailure, match="has held its lock"):
        fill(record, 1)
    fill(record, 1)
    assert [entry.number for entry in reading(record).entries] == [1, 2]
    assert faults(record) == []


def test_what_was_written_is_found_in_its_order(record: Record) -> None:
    assert reading(record) == Reading((), (), 0)
    fill(record, 3)
    entries = reading(record).entries
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert entries[2][1:6] == (1002.0, "start", "/home/ann/app", "ann", {"nth": 2})
    assert faults(record) == []


def test_the_folder_and_its_files_are_the_users_alone(record: Record) -> None:
    fill(record, 1)
    assert os.stat(record.folder).st_mode & 0o777 == 0o700
    assert only_file(record).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda lines: lines[1:], "2: the entries from 1 to it are missing"),
        (lambda lines: [lines[0], *lines[2:]], "3: it follows entry 1"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "1: it follows entry 2"),
        (lambda lines: lines[:-1], "2: the entries after it up to 3 are missing"),
        (
            lambda lines: [lines[0].replace(b"ann", b"bob"), *lines[1:]],
            "1: it is not as it was when the next one was written",
        ),
        (
            lambda lines: [*lines[:-1], lines[-1].replace(b"ann", b"bob")],
            "3: the last entry is not the one that was written last",
        ),
        (lambda lines: [lines[0], b"nonsense", *lines[1:]], "1: a line after it is no entry"),
        (lambda lines: [], "0: all entries up to 3 are missing"),
        (
            lambda lines: [lines[0].replace(b"0" * 64, b"1" * 64), *lines[1:]],
            "1: it names an entry before it, and there is none",
        ),
    ],
)
def test_a_change_is_seen_where_it_was_made(
    record: Record, edit: Callable[[list[bytes]], list[bytes]], expected: str
) -> None:
    fill(record, 3)
    change(record, edit)
    assert expected in faults(record)


def test_a_missing_head_is_said(record: Record) -> None:
    fill(record, 2)
    (Path(record.folder) / "head.json").unlink()
    assert faults(record) == ["2: the file that names the last entry is missing"]


def test_one_who_was_killed_before_the_head_was_written_left_no_fault(record: Record) -> None:
    fill(record, 1)
    head = (Path(record.folder) / "head.json").read_bytes()
    fill(record, 1)
    (Path(record.folder) / "head.json").write_bytes(head)
    assert faults(record) == []
    fill(record, 1)
    assert faults(record) == []


def test_one_who_was_killed_in_the_middle_of_a_line_costs_that_line(record: Record) -> None:
    fill(record, 2)
    with only_file(record).open("ab") as file:
        file.write(b'{"number":3,"ti')
    fill(record, 1)
    assert [entry.number for entry in reading(record).entries] == [1, 2, 3]
    assert faults(record) == ["2: a line after it is no entry"]


def test_many_who_write_at_once_make_one_chain(record: Record) -> None:
    threads = [threading.Thread(target=fill, args=(record, 20)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reading(record).entries) == 120
    assert faults(record) == []


def test_the_oldest_files_go_and_the_rest_is_whole(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_module, "LARGEST_FILE", 1000)
    monkeypatch.setattr(record_module, "MOST_FILES", 3)
    fill(record, 60)
    assert len(record.files()) == 3
    assert sum(len(file.content) for file in record.files()) < 4500
    now = reading(record)
    assert now.rotated > 0
    numbers = [entry.number for entry in now.entries]
    assert numbers == list(range(now.rotated + 1, numbers[-1] + 1))
    assert now.faults == ()
    rotations = [entry for entry in now.entries if entry.kind == "rotated"]
    assert rotations[-1].facts["last"] == now.rotated
    # A whole file that is taken out is no rotation, be it from the middle or the oldest.
    first, second, _ = record.files()
    path = Path(record.folder) / f"record-{second.first:09}.jsonl"
    path.unlink()
    assert len(faults(record)) == 2
    path.write_bytes(second.content)
    assert faults(record) == []
    (Path(record.folder) / f"record-{first.first:09}.jsonl").unlink()
    assert faults(record) == [
        f"{second.first}: the entries before it are missing, and no rotation removed them"
    ]


def edit_newest(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1].replace(b"ann", b"bob")]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda lines: lines[:-2], "4: before it, the entries from 2 to 3 were missing"),
        (edit_newest, "4: before it, entry 3 was not as it was written"),
        (lambda lines: [], "4: before it, all entries up to 3 were missing"),
    ],
)
def test_a_cut_stays_visible_after_more_was_written(
    record: Record, edit: Callable[[list[bytes]], list[bytes]], expected: str
) -> None:
    fill(record, 3)
    change(record, edit)
    fill(record, 2)
    assert expected in faults(record)
    assert [entry.number for entry in reading(record).entries][-3:] == [4, 5, 6]


def test_a_record_whose_folder_was_removed_does_not_begin_anew(record: Record) -> None:
    fill(record, 3)
    shutil.rmtree(record.folder)
    assert faults(record) == ["0: all entries up to 3 are missing"]
    fill(record, 1)
    assert [entry.number for entry in reading(record).entries] == [4, 5]
    assert "4: before it, all entries up to 3 were missing" in faults(record)


@pytest.mark.parametrize("name", ["head.json", "../audit-head.json"])
def test_one_mark_is_enough_to_see_a_cut(record: Record, name: str) -> None:
    fill(record, 3)
    change(record, lambda lines: lines[:1])
    (Path(record.folder) / name).unlink()
    fill(record, 1)
    assert reading(record).entries[-1].number == 5
    assert any(fault.startswith("4: before it, the ") for fault in faults(record))


def test_a_mark_that_was_set_back_costs_nothing_and_hides_nothing(record: Record) -> None:
    fill(record, 1)
    marks = [Path(record.folder) / "head.json", Path(record.folder).parent / "audit-head.json"]
    old = [mark.read_bytes() for mark in marks]
    fill(record, 3)
    for mark, text in zip(marks, old, strict=True):
        mark.write_bytes(text)
    assert faults(record) == []
    fill(record, 1)
    assert faults(record) == [] and reading(record).entries[-1].number == 5


def test_a_gap_is_still_told_of_when_its_file_was_rotated(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(record, 3)
    change(record, lambda lines: lines[:1])
    monkeypatch.setattr(record_module, "LARGEST_FILE", 1000)
    monkeypatch.setattr(record_module, "MOST_FILES", 2)
    fill(record, 60)
    assert not [entry for entry in reading(record).entries if entry.kind == "gap"]
    assert {fault.partition(": ")[2] for fault in faults(record)} == {
        "gaps in the entries that it removed: 1"
    }


def test_a_full_disk_looks_like_no_tampering(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marks need room of their own, and stay behind."""
    fill(record, 1)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(marks_module, "_write", fail)
        fill(record, 3)
        assert faults(record) == []
        fill(record, 1)
    fill(record, 1)
    assert faults(record) == []


def test_a_first_entry_that_no_mark_can_name_is_not_written(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(marks_module, "_write", fail)
        with pytest.raises(RecordFailure, match="no space left"):
            fill(record, 1)
    assert reading(record) == Reading((), (), 0)
    fill(record, 1)
    assert faults(record) == []


@pytest.mark.parametrize("name", ["record-000000001.jsonl", "head.json", "../audit-head.json"])
def test_a_named_pipe_in_place_of_a_file_holds_nobody_up(record: Record, name: str) -> None:
    fill(record, 2)
    path = Path(record.folder) / name
    path.unlink()
    os.mkfifo(path)
    if name.startswith("record"):
        with pytest.raises(RecordFailure, match="not a regular file"):
            record.files()
        with pytest.raises(RecordFailure, match="not a regular file"):
            fill(record, 1)
        return
    fill(record, 1)
    assert len(reading(record).entries) >= 3


def test_a_full_disk_is_said_and_leaves_the_record_as_it_was(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(record, 2)
    before = only_file(record).read_bytes()
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        return real(descriptor, data[:20])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(RecordFailure, match="no space left"):
        fill(record, 1)
    monkeypatch.undo()
    assert only_file(record).read_bytes() == before
    fill(record, 1)
    assert faults(record) == []


def test_a_folder_that_others_can_write_is_not_used(record: Record) -> None:
    fill(record, 1)
    Path(record.folder).chmod(0o777)
    with pytest.raises(RecordFailure, match="can be written by others"):
        fill(record, 1)


def test_a_link_in_place_of_a_file_is_not_followed(record: Record, tmp_path: Path) -> None:
    fill(record, 1)
    path = only_file(record)
    path.unlink()
    target = tmp_path / "target"
    target.write_bytes(b"")
    path.symlink_to(target)
    with pytest.raises(RecordFailure):
        fill(record, 1)
    assert target.read_bytes() == b""


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "audit").symlink_to(tmp_path / "real")
    with pytest.raises(RecordFailure, match="not a folder of yours"):
        fill(Record(str(tmp_path / "audit")), 1)


def test_long_facts_are_cut_and_said_to_be() -> None:
    facts = {"text": "x" * 5000, "names": [str(n) for n in range(MOST_ITEMS + 5)]}
    entry = read(line(Entry(1, 0.0, "network", "/w", "ann", facts, "")))
    assert entry is not None
    assert len(entry.facts["text"]) == LONGEST_TEXT and entry.facts["text"].endswith("...")
    assert entry.facts["names"][-1] == "and 5 more"


def test_facts_that_are_too_many_leave_their_names() -> None:
    facts = {f"key{n}": ["\u2028" * LONGEST_TEXT] * 10 for n in range(20)}
    text = line(Entry(1, 0.0, "network", "/w", "ann", facts, ""))
    assert len(text) <= LONGEST_LINE
    entry = read(text)
    assert entry is not None and entry.facts["key19"] == "left out: too long"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@given(st.text(), st.text(), st.dictionaries(st.text(max_size=20), values, max_size=5))
def test_every_entry_is_one_line_that_reads_back(
    project: str, by: str, facts: dict[str, Any]
) -> None:
    entry = Entry(7, 1.5, "start", project, by, facts, "0" * 64)
    text = line(entry)
    assert b"\n" not in text
    assert read(text) == entry


@given(st.binary())
def test_no_line_is_too_strange(text: bytes) -> None:
    read(text)
    read(json.dumps({"number": "1"}).encode() + text)


def test_a_line_of_exactly_the_limit_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry(1, 1.0, "start", "/p", "ann", {"fact": "x"}, "0" * 64)
    whole = line(entry)
    monkeypatch.setattr(entry_module, "LONGEST_LINE", len(whole))
    assert line(entry) == whole
    monkeypatch.setattr(entry_module, "LONGEST_LINE", len(whole) - 1)
    assert b"left out: too long" in line(entry)
