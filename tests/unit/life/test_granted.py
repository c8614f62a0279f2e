"""A grant of a start counts for the container that it started, and for no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.life import granted
from sandboxd.life.granted import Granted


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}


def test_kept_with_the_container(environ: dict[str, str], tmp_path: Path) -> None:
    assert granted.recall(environ, "/w") is None
    granted.keep(environ, "/w", "one", allow_runc=True)
    assert granted.recall(environ, "/w") == Granted("one")
    assert granted.recall(environ, "/other") is None
    (file,) = (tmp_path / "sandboxd/granted").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_start_that_finds_it_running_takes_nothing_back(environ: dict[str, str]) -> None:
    granted.keep(environ, "/w", "one", allow_runc=True)
    granted.keep(environ, "/w", "one", allow_runc=False)
    assert granted.recall(environ, "/w") == Granted("one")
    granted.keep(environ, "/w", "two", allow_runc=False)
    assert granted.recall(environ, "/w") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"workspace": "/other", "container": "x"}'])
def test_a_file_that_is_wrong_is_no_grant(
    environ: dict[str, str], tmp_path: Path, text: str
) -> None:
    granted.keep(environ, "/w", "one", allow_runc=True)
    (file,) = (tmp_path / "sandboxd/granted").iterdir()
    file.write_text(text)
    assert granted.recall(environ, "/w") is None


def test_what_cannot_be_kept_is_no_failure(environ: dict[str, str]) -> None:
    nowhere = {**environ, "XDG_STATE_HOME": "/proc/none"}
    granted.keep(nowhere, "/w", "one", allow_runc=True)
    assert granted.recall(nowhere, "/w") is None
