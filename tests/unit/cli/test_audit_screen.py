"""The record on a terminal of 80 columns: a row an entry, and the whole of it on request."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandboxd.audit.entry import FIRST, KINDS, Entry, Kind
from sandboxd.cli import audit_screen

START = {
    "how": "created",
    "profile": "agent",
    "runtime": "runsc-sandboxd",
    "container": "4d" * 32,
    "not_in_force": ["non-root user", "seccomp", "gVisor build"],
    "credentials": [],
}
TOTALS = {"denied": 0, "reached": 0}

ROWS = """\
2026-11-30 23:13  trust    ann  weather         what: trusted, sha256 …
2026-11-30 23:13  start    ann  weather/claude  how: created, profile: agent …
2026-11-30 23:13  network  ann  weather/claude  nothing was reached or denied
2026-11-30 23:13  network  ann  weather         totals: denied=2, denied …
2026-11-30 23:13  stop     ann  weather         ended and removed
"""
WHOLE = """\
2026-11-30 23:13:20  start  weather/claude  by ann
    sandbox: claude, how: created, profile: agent, runtime: runsc-sandboxd,
    container: 4d4d4d4d4d4d, not in force: non-root user; seccomp; gVisor build,
    credentials: none
2026-11-30 23:13:20  network  weather/claude  by ann
    sandbox: claude, totals: denied=0 reached=0, reached: none, denied: none
"""


def entry(kind: Kind, facts: dict[str, Any], by: str = "ann") -> Entry:
    at = time.mktime((2026, 11, 30, 23, 13, 20, 0, 0, -1))
    return Entry(1, at, kind, "/home/ann/weather", by, facts, FIRST)


ENTRIES = [
    entry("trust", {"what": "trusted", "sha256": "9f" * 32}),
    entry("start", {"sandbox": "claude", **START}),
    entry("network", {"sandbox": "claude", "totals": TOTALS, "reached": [], "denied": []}),
    entry(
        "network",
        {"totals": TOTALS | {"denied": 2}, "denied": ["example.org:443", "example.net:443"]},
    ),
    entry("stop", {"removed": ["sandboxd-weather-1a2b3c4d"], "discarded": False}),
]


def test_a_row_says_when_what_who_and_in_which_sandbox() -> None:
    shown = "\n".join(audit_screen.rows(ENTRIES, 80)) + "\n"
    assert shown == ROWS


def test_all_that_is_recorded_is_below_each_entry_when_asked_for() -> None:
    shown = "\n".join(audit_screen.whole(ENTRIES[1:3], 80)) + "\n"
    assert shown == WHOLE


@pytest.mark.parametrize("write", [audit_screen.rows, audit_screen.whole])
def test_no_line_is_wider_than_the_screen_and_none_drives_the_terminal(write: Any) -> None:
    facts = {"name": "\x1b[2J" + "a b " * 300, "sandbox": "é" * 60}
    entries = [entry(kind, facts, by="\x1b" * 40) for kind in KINDS]
    for line in write(entries, 80):
        assert line.isprintable()
        assert write is audit_screen.whole or len(line) <= 80, line
