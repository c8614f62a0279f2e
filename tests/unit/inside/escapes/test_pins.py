"""What the attacks on pinned files do where nothing holds them off."""

from __future__ import annotations

from pathlib import Path

from sandboxd.inside.escapes import _pins


def test_to_overwrite_changes_bytes_and_keeps_the_length(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"[core] bare = false")
    _pins.overwrite(str(path))
    assert path.read_bytes() == b"OVERWRITTEN = false"
