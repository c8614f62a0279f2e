"""The memory of earlier answers: it forgets rather than fails."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sandboxd.host.memory import Memory, open_memory


def test_it_remembers_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "sandboxd" / "trials.json"
    memory = open_memory({"XDG_CACHE_HOME": str(tmp_path / "cache")})
    memory.put("a", {"x": 1})
    memory.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Memory(str(path)).get("a") == {"x": 1}


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    memory = Memory(str(path))
    memory.save()
    assert not path.exists()
    memory.put("a", 1)
    memory.save()
    before = path.stat().st_mtime_ns
    again = Memory(str(path))
    again.put("a", 1)
    again.save()
    assert path.stat().st_mtime_ns == before


def test_old_entries_go_first(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    memory = Memory(str(path))
    for number in range(300):
        memory.put(str(number), number)
    memory.save()
    saved = json.loads(path.read_text())
    assert len(saved) == 200 and "299" in saved and "0" not in saved


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_broken_file_is_forgotten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    assert Memory(str(path)).get("a") is None


def test_without_a_home_nothing_is_remembered(tmp_path: Path) -> None:
    for environ in ({}, {"HOME": ""}, {"HOME": "relative"}):
        memory = open_memory(environ)
        memory.put("a", 1)
        memory.save()
    unwritable = Memory(str(tmp_path / "file" / "m.json"))
    (tmp_path / "file").write_text("")
    unwritable.put("a", 1)
    unwritable.save()
