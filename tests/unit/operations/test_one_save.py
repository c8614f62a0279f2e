"""An answer takes the place of an earlier one by one save."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.operations.egress.actions import act
from sandboxd.policy import approvals
from tests.unit.operations.running_project import LISTED, play


def test_a_denial_replaces_an_approval_by_one_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two, whoever is killed leaves neither."""
    running = play(tmp_path, monkeypatch)
    running.write(LISTED, trusted=True)
    act("allow", str(running.path), running.environ, {"text": "mine.example.org"})
    written: list[bytes] = []
    really = approvals.write_private

    def write(path: str, data: bytes, *, takes_back: bool) -> None:
        written.append(data)
        really(path, data, takes_back=takes_back)

    monkeypatch.setattr(approvals, "write_private", write)
    denied = act("deny", str(running.path), running.environ, {"text": "mine.example.org"})
    assert denied["taken_back"] == 1 and len(written) == 1
    running.start()
    assert not running.lets_through("mine.example.org")
