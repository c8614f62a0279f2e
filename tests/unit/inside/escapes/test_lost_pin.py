"""The attempt on a lost pin writes nothing, and finds what is open however it is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.inside.escapes import lost_pin
from sandboxd.inside.escapes._kernel import NotApplicable


def test_what_is_open_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("as it was")
    folder.mkdir()
    pinned = [str(tmp_path / "missing"), str(file), str(folder)]
    result = lost_pin.attempt({"pinned": pinned})
    assert result == {"detail": f"can be written: {file}, {folder}"}
    assert (file.read_text(), os.listdir(folder)) == ("as it was", [])


def test_nothing_open_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "target").touch()
    (tmp_path / "other").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "fifo")
    for name in ("other", "missing", "fifo"):
        with pytest.raises(OSError):
            lost_pin.attempt({"pinned": [str(tmp_path / name)]})
    with pytest.raises(NotApplicable):
        lost_pin.attempt({"pinned": []})
