"""The memory of earlier answers: it forgets rather than fails."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sandboxd.host.memory import Memory, open_memory


def test_the_memory_is_of_this_user_only(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}], ids=str)
def test_without_a_home_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    memory = open_memory(environ)
    memory.put("a", 1)
    memory.save()
    assert memory.get("a") == 1, "until this process ends"
    assert open_memory(environ).get("a") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    path = str(tmp_path / "file" / "m.json")
    memory = Memory(path)
    memory.put("a", 1)
    memory.save()
    assert Memory(path).get("a") is None
    assert (tmp_path / "file").read_text() == "not a folder"
