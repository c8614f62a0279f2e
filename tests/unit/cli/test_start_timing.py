"""The screen of a start's timeline: one bar for each step, on the place of its time."""

from __future__ import annotations

import pytest

from sandboxd.cli import start_timing
from sandboxd.operations.started import SpanDocument, TimingDocument


def span(
    part: str, name: str, began: float, ended: float, depth: int = 0, is_beside: bool = False
) -> SpanDocument:
    return {
        "part": part,
        "name": name,
        "began": began,
        "ended": ended,
        "depth": depth,
        "is_beside": is_beside,
    }


SPANS = [
    span("ours", "plan", 0, 50),
    span("gateway", "have it run", 50, 450, is_beside=True),
    span("engine", "create", 60, 100),
    span("engine", "create", 65, 110, 1, True),
    span("runtime", "start", 100, 350),
    span("runtime", "start", 120, 400, 1, True),
    span("engine", "inspect", 350, 351),
    span("gateway", "policy", 440, 450, 1, True),
    span("engine", "exec start", 440, 450, 2, True),
    span("gateway", "wait for it", 351, 450),
]
TIMING: TimingDocument = {
    "milliseconds": 460.0,
    "parts": {"ours": 70.0, "engine": 41.0, "runtime": 250.0, "gateway": 99.0},
    "spans": SPANS,
}


def test_the_screen_at_80_columns() -> None:
    timing = start_timing.of_command(TIMING, 490.4)
    assert start_timing.screen(timing, 80).split("\n") == [
        "490 ms: runtime 250, gateway 99, ours 70, engine 41, command 30",
        "ours: plan                         50  #####",
        "gateway: have it run              400       ------------------------------------",
        "  engine: create                   45        ----",
        "  runtime: start                  280             -------------------------",
        "  gateway: policy                  10                                          -",
        "engine: create                     40       ####",
        "runtime: start                    250           #######################",
        "gateway: wait for it               99                                  #########",
        "`-` ran beside the start; 2 shorter or deeper steps: `sandboxd up --json`",
    ]


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    long = span("hooks", "a stage with a name as long as nobody gives it", 0, 460)
    timing: TimingDocument = {**TIMING, "spans": [*SPANS, long]}
    lines = start_timing.screen(timing, columns).split("\n")
    assert max(map(len, lines)) <= max(columns, 62)
    assert any(len(line) > columns - 4 for line in lines), "the bars use the room"


def test_the_document_keeps_every_span_and_the_sum() -> None:
    document = start_timing.document(start_timing.of_command(TIMING, 490.44))
    assert len(document["spans"]) == len(SPANS)
    assert document["milliseconds"] == 490.4
    assert sum(document["parts"].values()) == pytest.approx(490.4)


def test_a_clock_of_another_process_takes_nothing_away() -> None:
    assert start_timing.of_command(TIMING, 459.0)["parts"]["command"] == 0
