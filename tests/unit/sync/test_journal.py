"""The agreed state on disk: a crash leaves it readable, and nothing in it is believed that is not whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.sync import journal as journals
from sandboxd.sync.journal import Journal
from sandboxd.sync.state import FOLDER, Content, Root
from sandboxd.sync.stops import Roots
from tests.unit.sync.model import file, link

ROOTS = Roots(Root(1, 2), Root(3, 4))
FIRST: dict[str, Content | None] = {"d": FOLDER, "d/\udcff": file("1", True), "l": link("../\n")}


def read(path: Path) -> tuple[dict[str, Content], Roots | None]:
    journal = Journal(str(path))
    return journal.agreed, journal.roots


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own" / "journal"
    assert read(path) == ({}, None)
    journal = Journal(str(path))
    journal.update(FIRST, ROOTS)
    assert read(path) == (FIRST, ROOTS)
    journal.update({"l": None, "new": file("2")}, ROOTS)
    Journal(str(path)).update({"d": None}, ROOTS)
    assert read(path) == ({"d/\udcff": file("1", True), "new": file("2")}, ROOTS)
    assert path.stat().st_mode & 0o777 == 0o600


def test_whatever_a_crash_leaves_of_it_is_an_earlier_state(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    states: list[tuple[dict[str, Content], Roots | None]] = [({}, None), ({}, ROOTS)]
    journal = Journal(str(path))
    journal.update({}, ROOTS)
    for number in range(4):
        journal.update({f"f{number}": file("x"), "f0": file(str(number))}, ROOTS)
    whole = path.read_bytes()
    agreed: dict[str, Content] = {}
    for number in range(4):
        for name, text in ((f"f{number}", "x"), ("f0", str(number))):
            agreed[name] = file(text)
            states.append((dict(agreed), ROOTS))
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        state = read(path)
        assert state in states
        # It goes on from there.
        Journal(str(path)).update({"later": FOLDER}, ROOTS)
        assert read(path) == (state[0] | {"later": FOLDER}, ROOTS)


@pytest.mark.parametrize("at", range(0, 200, 7))
def test_a_byte_that_is_another_ends_what_is_read(tmp_path: Path, at: int) -> None:
    path = tmp_path / "journal"
    journal = Journal(str(path))
    journal.update({}, ROOTS)
    journal.update(FIRST, ROOTS)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    agreed, _ = read(path)
    assert agreed.items() < FIRST.items()


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "", "a\0b", "."])
def test_a_path_that_leads_elsewhere_is_not_agreed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "journal"
    Journal(str(path)).update({name: FOLDER}, ROOTS)
    assert read(path) == ({}, ROOTS)


def test_another_version_is_nothing_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    monkeypatch.setattr(journals, "_VERSION", 2)
    Journal(str(path)).update(FIRST, ROOTS)
    assert read(path) == ({}, None)


def test_it_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "_SPARE", 10)
    path = tmp_path / "journal"
    journal = Journal(str(path))
    for number in range(100):
        journal.update({"a": file(str(number))}, ROOTS)
    assert len(path.read_bytes().splitlines()) < 20
    assert read(path) == ({"a": file("99")}, ROOTS)


def test_a_disk_that_is_full_is_said_and_what_was_agreed_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal"
    journal = Journal(str(path))
    journal.update(FIRST, ROOTS)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(EnvironmentFailure, match="no space left"):
            journal.update({"a": FOLDER}, ROOTS)
    journal.update({"b": FOLDER}, ROOTS)
    assert read(path)[0].keys() == {*FIRST, "a", "b"}


def test_what_is_appended_while_it_is_read_is_seen_by_the_next_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "journal")
    Journal(path).update(FIRST, ROOTS)
    read_bytes = journals.read_bytes

    def read_and_append(*of: object) -> bytes:
        data = read_bytes(*of)  # type: ignore[arg-type]
        monkeypatch.setattr(journals, "read_bytes", read_bytes)
        Journal(path).update({"new": file("2")}, ROOTS)
        return data

    monkeypatch.setattr(journals, "read_bytes", read_and_append)
    journal = Journal(path)
    with journal.turn():
        assert "new" in journal.agreed
