"""The daemon's log: private and of bounded size."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.daemon import logfile


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def environ(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}


def test_the_log_file_is_private_and_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "_BYTES", 500)
    logfile.open_log(environ(tmp_path), to_stderr=False)
    for number in range(100):
        logging.info("line %d \udcff", number)
    files = sorted((tmp_path / "state" / "sandboxd").iterdir())
    assert [file.name for file in files] == [f"daemon.log{end}" for end in ("", ".1", ".2", ".3")]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert all(file.stat().st_size <= 500 for file in files)
    assert "line 99" in files[0].read_text()


def test_where_nothing_can_be_written_the_daemon_goes_on(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, not a folder")
    logfile.open_log(environ(tmp_path), to_stderr=False)
    assert [type(handler) for handler in logging.getLogger().handlers] == [logging.StreamHandler]


def test_a_link_in_place_of_the_log_is_not_written_through(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "sandboxd"
    folder.mkdir(parents=True)
    target = tmp_path / "precious"
    target.write_text("mine")
    (folder / "daemon.log").symlink_to(target)
    logfile.open_log(environ(tmp_path), to_stderr=False)
    logging.info("hello")
    assert target.read_text() == "mine"
