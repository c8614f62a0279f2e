"""A kept file is written back while nobody compares the two sides."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.cli import kept_files
from sandboxd.errors import EXIT_OK
from sandboxd.file_lock import LockTimeout, locked
from sandboxd.sync import restoring
from sandboxd.sync.place import place_of
from sandboxd.sync.retention import Record, Retention
from sandboxd.sync.state import Kind


def test_no_comparison_takes_its_temporary_file_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "own"))
    place = place_of(os.environ, kept_files.sandbox_of(str(folder), ""))
    Retention(place.retention).add("main.py", (b"text",), Kind.FILE)
    restore, was_held = restoring.restore, []

    def look(workspace: str, record: Record, content: str) -> str:
        with pytest.raises(LockTimeout), locked(f"{place.journal}.lock", seconds=0):
            pass
        was_held.append(True)
        return restore(workspace, record, content)

    monkeypatch.setattr(restoring, "restore", look)
    assert kept_files.run(str(folder), "", "main.py", "") == EXIT_OK
    assert was_held
    assert (folder / "main.py").read_text() == "text"
    with locked(f"{place.journal}.lock", seconds=0):
        pass
