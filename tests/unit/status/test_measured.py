"""What `bench` said of a command, as `status` shows it."""

from __future__ import annotations

import json
from pathlib import Path

from sandboxd.state import measurement
from sandboxd.state.measurement import Measurement
from sandboxd.status import as_json, text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.model import StatusReport
from sandboxd.status.observe import Observed
from tests.unit.status.test_status import DAEMON


def test_what_bench_said_of_a_command_is_shown_with_its_day(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    last = Measurement("/p", "make", "`make` takes 2.85 x as long", "2026-01-02T03:04:05", 2.85)
    assert measurement.recall(environ, "/p") is None
    measurement.keep(environ, last)
    assert measurement.recall(environ, "/p") == last
    assert measurement.recall(environ, "/q") is None
    row = combine("/p", Examined(), Observed({}), measured=measurement.recall(environ, "/p"))
    report = StatusReport(DAEMON, None, (row,))
    shown = text.render(report, "long", colour=False, columns=80)
    assert "measured     `make` takes 2.85 x as long (2026-01-02)" in shown
    document = json.loads(as_json.render(report))
    assert document["projects"][0]["measured"] == {
        "command": "make",
        "conclusion": "`make` takes 2.85 x as long",
        "when": "2026-01-02T03:04:05",
        "ratio": 2.85,
    }
    (path,) = (tmp_path / "sandboxd/bench").iterdir()
    path.write_text("{")
    assert measurement.recall(environ, "/p") is None
