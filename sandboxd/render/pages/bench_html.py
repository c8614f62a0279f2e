"""A document of `sandboxd bench` as one HTML page: each kind of work with a bar for each sandbox.

The cost first, in one sentence, the measurements, and last where they were made.
Bars are drawn by the length of their ratio, on a scale of their row, and each says its figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.render.pages._page import page, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_STYLE = """
section{break-inside:avoid;border-top:1px solid var(--line);padding:.6rem 0}
h2{margin:.2rem 0}
.row{display:grid;grid-template-columns:12rem 1fr 17rem;gap:.75rem;align-items:center;margin:.25rem 0}
.track{background:var(--card);border-radius:.25rem;height:1.1rem}
.bar{height:100%;border-radius:.25rem;background:var(--fill);min-width:3px}
.figure{font-variant-numeric:tabular-nums}
@media(max-width:40rem){.row{grid-template-columns:1fr auto}.row .track{grid-column:1/-1;grid-row:2}}
@media print{.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}section{padding:.2rem 0}
.row{margin:.05rem 0}.track{height:.7rem}}
"""
_COLOURS = ("var(--soft)", "#3b82c4", "#c27a1a")


def render(document: Mapping[str, Any]) -> str:
    """The whole page."""
    title = f"{document['project']}: sandboxd bench"
    base = next(v for v in document["variants"] if v["name"] == document["base"])
    facts = {
        "measured": f"{document['when']}, medians, rounds: {document['rounds']}",
        **document["host"],
        **{v["title"]: f"runtime {v['runtime']}" for v in document["variants"]},
    }
    rows = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts.items())
    verdict = document["conclusion"] or _verdict(document, base["title"])
    head = (
        f'<h1 class="verdict">{text(verdict)}</h1>\n'
        f'<p class="soft">{text(document["project"])}: what the sandbox costs, measured by '
        "<code>sandboxd bench</code></p>\n"
        f'<p class="soft">Shorter is faster. x: against {text(base["title"])}, within the same '
        "round; in brackets the lowest and the highest round.</p>\n"
    )
    body = "".join(_row(row, document["variants"]) for row in document["rows"])
    body += "".join(f"<p>Tried: {text(_trial(trial))}</p>\n" for trial in document["trials"])
    not_measured = "".join(
        f"<p>Not measured: {text(words)}</p>\n" for words in document["left_out"]
    )
    where = f"<h2>Where it was measured</h2>\n<dl>{rows}</dl>\n"
    return page(title, head + body + not_measured + where, _STYLE)


def _trial(trial: Mapping[str, Any]) -> str:
    """A change that was tried, against gVisor without it."""
    if trial["ratio"] is None:
        return f"{trial['line']}: not measured: {trial['why']}"
    return (
        f"{trial['line']}: {trial['ratio']:.2f} x ({trial['low']:.2f}-{trial['high']:.2f}) against gVisor "
        f"without it; {trial['price']}"
    )


def _verdict(document: Mapping[str, Any], base: str) -> str:
    """The range of each other sandbox against `base`, with the work that costs most."""
    parts = []
    for variant in document["variants"]:
        ratios = [
            (row["figures"][variant["name"]]["ratio"], row["title"])
            for row in document["rows"]
            if row["figures"][variant["name"]]["ratio"] is not None
        ]
        if variant["name"] == document["base"] or not ratios:
            continue
        (least, _), (most, work) = min(ratios), max(ratios)
        parts.append(f"{variant['title']}: {least:.2g} to {most:.2g} x of {base}; most: {work}")
    return "; ".join(parts) or "Nothing to compare was measured."


def _row(row: Mapping[str, Any], variants: list[Mapping[str, Any]]) -> str:
    figures = row["figures"]
    longest = max((f["milliseconds"] or 0 for f in figures.values()), default=0) or 1
    bars = "".join(
        _bar(variant["title"], figures[variant["name"]], longest, _COLOURS[number % 3])
        for number, variant in enumerate(variants)
    )
    return (
        f'<section><h2>{text(row["title"])}</h2>\n<p class="soft">{text(row["unit"])}</p>\n'
        f"{bars}</section>\n"
    )


def _bar(title: str, figure: Mapping[str, Any], longest: float, colour: str) -> str:
    if figure["milliseconds"] is None:
        words, width = f"not measured: {figure['why'] or 'no figure'}", 0.0
    else:
        words, width = _words(figure), figure["milliseconds"] / longest * 100
    return (
        f'<div class="row"><span>{text(title)}</span>'
        f'<div class="track"><div class="bar" style="width:{width:.1f}%;--fill:{colour}"></div></div>'
        f'<span class="figure">{text(words)}</span></div>\n'
    )


def _words(figure: Mapping[str, Any]) -> str:
    milliseconds = figure["milliseconds"]
    time = f"{milliseconds / 1000:.2f} s" if milliseconds >= 1000 else f"{milliseconds:.2f} ms"
    if figure["ratio"] is None or figure["low"] == figure["high"] == 1:
        return time
    return f"{time}, {figure['ratio']:.2f} x ({figure['low']:.2f}–{figure['high']:.2f})"
