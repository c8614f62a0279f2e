"""Places in another file than the finding's own."""

from __future__ import annotations

from sandboxd.findings import Place, Report
from sandboxd.render import json as form
from sandboxd.text import SourceText, Span


def test_a_place_in_another_file_has_that_files_line_and_column() -> None:
    report = Report(
        (), (), 1, sources={"/p/compose.yaml": SourceText("/p/compose.yaml", "a: 1\n  b: 2\n")}
    )
    place = Place("/p/compose.yaml", Span(7, 8))
    assert form._related(place, "set here", report, "/p") == {
        "path": "compose.yaml", "line": 2, "column": 3, "message": "set here",
    }  # fmt: skip
    unread = Place("/p/other.yaml", Span(0, 0))
    assert form._related(unread, "set here", report, "/p")["line"] == 1
