"""Profiles are read once, until their file is another."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sandboxd.data import data_path
from sandboxd.plan import profiles


def test_a_profile_is_parsed_once_until_its_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dev.toml"
    shutil.copy(data_path("profiles", "hardening", "dev.toml"), file)
    monkeypatch.setattr(profiles, "data_path", lambda *_: str(file))
    first = profiles.load("dev")
    assert profiles.load("dev") is first
    file.write_text(file.read_text().replace("purpose = ", "purpose = 'other'\n#", 1))
    os.utime(file, (1, 1))
    assert profiles.load("dev").purpose == "other"
    assert profiles.load("dev")._replace(purpose=first.purpose) == first
