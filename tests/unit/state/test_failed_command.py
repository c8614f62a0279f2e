from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.state import failed_command
from sandboxd.state.failed_command import FailedCommand

FAILED = FailedCommand(
    "/p//login", "/p/src", ("make", "test"), 2, "make: *** [x] Error 1 ü", 1.5, 2.5, "0"
)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


def test_a_sandbox_has_its_last_failed_command(environ: dict[str, str]) -> None:
    assert failed_command.recall(environ, FAILED.sandbox) is None
    failed_command.keep(environ, FAILED)
    failed_command.keep(environ, FAILED._replace(exit_code=3))
    assert failed_command.recall(environ, FAILED.sandbox) == FAILED._replace(exit_code=3)
    assert failed_command.recall(environ, "/p") is None


def test_nobody_else_reads_what_it_printed(environ: dict[str, str], tmp_path: Path) -> None:
    failed_command.keep(environ, FAILED)
    (file,) = tmp_path.rglob("*.json")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sandbox": 1}', "[" * 100_000])
def test_a_broken_record_is_none(environ: dict[str, str], tmp_path: Path, text: str) -> None:
    failed_command.keep(environ, FAILED)
    (file,) = tmp_path.rglob("*.json")
    file.write_text(text)
    assert failed_command.recall(environ, FAILED.sandbox) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "sandboxd").write_text("")
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    failed_command.keep(environ, FAILED)
    assert failed_command.recall(environ, FAILED.sandbox) is None
