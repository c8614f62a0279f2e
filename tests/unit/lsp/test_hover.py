"""A hover says each thing once: what it is, what it gives away, the fix with its price, the value."""

from __future__ import annotations

from sandboxd.findings import Finding, Place, Remedy, Severity
from sandboxd.lsp.features.hover import _finding
from sandboxd.text import Span


def finding(**more: object) -> Finding:
    place = Place("/w/devcontainer.json", Span(0, 1))
    values = {"why": "it reads the host", "remedies": (Remedy("drop it", False, (), "x stops"),)}
    return Finding("host-pid", Severity.ERROR, "a message", place, "e", **{**values, **more})  # type: ignore[arg-type]


def test_a_finding_is_four_short_lines_and_a_link() -> None:
    lines = _finding(finding()).split("\n\n")
    assert lines[:3] == [
        "error **host-pid**: a message",
        "Gives away: it reads the host",
        "Fix: drop it; then x stops",
    ]
    assert len(lines) == 4 and "host-pid.md" in lines[3]


def test_without_a_page_the_command_tells_more() -> None:
    assert "`sandboxd explain made-up`" in _finding(finding()._replace(rule="made-up"))


def test_a_safe_fix_has_no_price() -> None:
    safe = Remedy("drop it", True, (), "nothing stops")
    assert "Fix: drop it\n" in _finding(finding(remedies=(safe,)))


def test_words_of_a_file_stay_words() -> None:
    shown = _finding(finding()._replace(message="[x](command:y)", origin="<b>"))
    assert "[x](command:y)" not in shown and "<b>" not in shown
