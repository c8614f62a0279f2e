"""docs/escape-matrix.md says what live runs say. `python -m tools.escape_matrix` writes it anew."""

from __future__ import annotations

import pytest

from tools import escape_matrix

pytestmark = [
    pytest.mark.engine,
    pytest.mark.gvisor,
    pytest.mark.usefixtures("runsc", "shared_cache"),
]


def test_the_page_is_what_the_runs_say(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine)
    assert escape_matrix.main(["--check"]) == 0, capsys.readouterr().out
