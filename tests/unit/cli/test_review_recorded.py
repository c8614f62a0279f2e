"""`review --apply` writes nothing that it could not record."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from sandboxd.audit.record import RecordFailure
from sandboxd.cli.commands import review
from sandboxd.review import weigh
from tests.unit.review.copies import Copy


def test_no_change_is_brought_unrecorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host/a").write_text("old\n")
    (tmp_path / "host/b").write_text("old\n")
    copy = Copy(tmp_path, tmp_path / "host")
    (copy.inside / "a").write_text("new\n")
    (copy.inside / "b").unlink()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state/sandboxd").mkdir(parents=True)
    (tmp_path / "state/sandboxd/audit").write_text("in the way")
    changes, args = copy.changes(), Namespace(yes=True, deletions=0, name="")
    with pytest.raises(RecordFailure):
        review._apply(changes, weigh.items(changes), [], args)
    assert {path.name: path.read_text() for path in copy.host.iterdir()} == {
        "a": "old\n", "b": "old\n",
    }  # fmt: skip
    (tmp_path / "state/sandboxd/audit").unlink()
    assert review._apply(changes, weigh.items(changes), [], args) == 0
    assert [path.name for path in copy.host.iterdir()] == ["a"]
