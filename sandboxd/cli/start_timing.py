"""The timeline of a start as a screen, and as JSON."""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.screen import cut, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sandboxd.operations.started import SpanDocument, TimingDocument

COMMAND = "command"
"""The part of this command: its own work, and its talk with the daemon."""

_NAME, _FIGURE = 30, 7
_LEAST_SHARE = 0.01
"""The share of the whole time below which a step is counted, not drawn."""
_DEEPEST = 1
"""The depth to which parts of a step are drawn; deeper ones are in the JSON document alone."""
_OWN, _BESIDE = "#", "-"


def of_command(timing: TimingDocument, milliseconds: float) -> TimingDocument:
    """`timing` with the command's own share of the `milliseconds` that it waited for the start."""
    own = max(milliseconds - timing["milliseconds"], 0.0)
    return {
        "milliseconds": timing["milliseconds"] + own,
        "parts": {**timing["parts"], COMMAND: own},
        "spans": timing["spans"],
    }


def document(timing: TimingDocument) -> dict[str, Any]:
    """`timing` for a reader of JSON: milliseconds with one place, and of each span what it is a part of."""
    return {
        "milliseconds": round(timing["milliseconds"], 1),
        "parts": {part: round(figure, 1) for part, figure in timing["parts"].items()},
        "spans": [
            {**span, "began": round(span["began"], 1), "ended": round(span["ended"], 1)}
            for span in timing["spans"]
        ],
    }


def screen(timing: TimingDocument, columns: int) -> str:
    """The whole with its parts, the largest first, and a bar for each span: beside the start in dashes."""
    whole = timing["milliseconds"]
    parts = sorted(timing["parts"].items(), key=lambda part: -part[1])
    words = ", ".join(f"{part} {figure:.0f}" for part, figure in parts if round(figure))
    lines = [cut(f"{whole:.0f} ms: {words}", columns)]
    drawn = [span for span in _by_whole(timing["spans"]) if _is_drawn(span, whole)]
    room = max(columns - _NAME - _FIGURE - 2, 10)
    # The spans are those of the start, without the command that waited for it.
    end = max((span["ended"] for span in timing["spans"]), default=whole)
    lines += [_line(span, end, room) for span in drawn]
    lines += wrap(_legend(drawn, len(timing["spans"]) - len(drawn)), columns)
    return "\n".join(line.rstrip() for line in lines)


def _legend(drawn: list[SpanDocument], rest: int) -> str:
    words = []
    if any(span["is_beside"] for span in drawn):
        words.append(f"`{_BESIDE}` ran beside the start")
    if rest:
        words.append(f"{terminal.count(rest, 'shorter or deeper step')}: `sandboxd up --json`")
    return "; ".join(words)


def _by_whole(spans: list[SpanDocument]) -> list[SpanDocument]:
    """The spans, each behind the one that it is a part of: two threads write theirs in turn."""
    own = [span for span in spans if not span["is_beside"]]
    beside = [span for span in spans if span["is_beside"]]
    groups: list[list[SpanDocument]] = []
    for lane in (own, beside):
        for span in lane:
            if span["depth"] and groups:
                groups[-1].append(span)
            else:
                groups.append([span])
    return [span for group in sorted(groups, key=lambda group: group[0]["began"]) for span in group]


def _is_drawn(span: SpanDocument, whole: float) -> bool:
    return span["depth"] <= _DEEPEST and _took(span) >= whole * _LEAST_SHARE


def _took(span: SpanDocument) -> float:
    return span["ended"] - span["began"]


def _line(span: SpanDocument, whole: float, room: int) -> str:
    indent = "  " * span["depth"]
    name = cut(terminal.one_line(f"{indent}{span['part']}: {span['name']}"), _NAME)
    first = min(round(span["began"] / whole * room), room - 1)
    last = max(round(span["ended"] / whole * room), first + 1)
    bar = " " * first + (_BESIDE if span["is_beside"] else _OWN) * (last - first)
    return f"{name:<{_NAME}}{_took(span):>{_FIGURE}.0f}  {bar}"
