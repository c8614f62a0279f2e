"""What a gateway told is recorded when its sandbox ends, credentials by their services alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record
from sandboxd.egress.ledger import Ledger
from sandboxd.operations import recording


def tried(number: int, outcome: str, count: int) -> Any:
    return {
        "event": "credential", "seq": number, "time": float(number), "service": "npm",
        "outcome": outcome, "status": 200, "reason": "", "count": count,
    }  # fmt: skip


def test_credentials_that_were_used_are_recorded_by_their_service(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    ledger = Ledger()
    ledger.take([tried(1, "used", 3), tried(2, "rejected", 1), tried(3, "refused", 2)])
    assert recording.stopped(environ, "/work", ["weather"], False, ledger) == ""
    record = Record(notes.folder(environ))
    entries = chain.check(record.files(), record.head()).entries
    assert [entry.kind for entry in entries] == ["network", "credential", "stop"]
    assert entries[1].facts == {
        "service": "npm", "used": 3, "rejected": 1, "refused": 2, "failed": 0,
    }  # fmt: skip
