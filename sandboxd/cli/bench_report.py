"""The report of `bench`: shown, written and remembered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.bench.results import COMMAND, NOTHING, best, conclusion, duration
from sandboxd.errors import UsageError
from sandboxd.screen import fit

if TYPE_CHECKING:
    from sandboxd.bench.results import Results, Row

ENDINGS = (".html", ".json")
"""Endings of the report's file formats."""

_MUCH = 3.0


def size(text: str) -> int:
    """The number of bytes of a size such as ``512m``.

    :raises UsageError: `text` is no size
    """
    units = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
    number = text[:-1] if text[-1:].lower() in units else text
    if not number.isdecimal():
        raise UsageError(f"`{text}` is no size", "write it as `512m` or `4g`")
    return int(number) * units.get(text[-1:].lower(), 1)


def write(path: str, results: Results) -> None:
    """Write the report.

    :raises EnvironmentFailure: it cannot be written
    """
    from sandboxd.bench.results import document
    from sandboxd.files import write_atomic

    if path.endswith(".html"):
        from sandboxd.render.pages import bench_html

        text = bench_html.render(document(results))
    else:
        text = json.dumps(document(results), indent=2) + "\n"
    write_atomic(path, text.encode())
    terminal.status(f"report: {path}")


def table(results: Results) -> str:
    """The results as a table: a row for each kind of work, a column for each sandbox."""
    base = results.variants[0]
    # The command stands in the first line, and leaves its column no room.
    titles = ["the command" if row.name == COMMAND else row.title for row in results.rows]
    title_width = max(len(title) for title in [*titles, "WORK"])
    columns = [max(len(v.title), 16) for v in results.variants]
    head = "  ".join(
        f"{v.title:>{width}}" for v, width in zip(results.variants, columns, strict=True)
    )
    about = (
        f"{results.project}: medians of {terminal.count(results.rounds, 'round')}; x is against "
        f"{base.title}"
    )
    sentence = conclusion(results)
    lines = [
        *(terminal.paint(line, terminal.BOLD) for line in _wrapped(sentence or about)),
        *(_wrapped(about) if sentence else ()),
        "",
        f"{'WORK':<{title_width}}  {head}",
    ]
    for title, row in zip(titles, results.rows, strict=True):
        cells = [
            _cell(row, variant.name, base.name, width)
            for variant, width in zip(results.variants, columns, strict=True)
        ]
        lines.append(f"{terminal.printable(title):<{title_width}}  {'  '.join(cells)}")
    return "\n".join([*lines, *_trials(results), *_advice(results)])


def _wrapped(text: str) -> list[str]:
    return fit(terminal.printable(text), terminal.width()).split("\n")


def _trials(results: Results) -> list[str]:
    """The changes that were tried: against the sandbox as it is, the lowest and the highest round."""
    if not results.trials:
        return []
    lines = ["", "tried in `[workspace]` of sandboxd.toml; x is against gVisor without it"]
    helps = best(results)
    for trial in results.trials:
        if trial.ratio is None or trial.milliseconds is None:
            figure = f"not measured: {trial.why}"
        else:
            spread = f"({trial.low:.2f}-{trial.high:.2f})"
            figure = f"{duration(trial.milliseconds)}  {trial.ratio:.2f} x {spread}"
        colour = terminal.GREEN if trial is helps else ""
        lines += [terminal.paint(line, colour) for line in _wrapped(f"  {trial.line}: {figure}")]
        if trial is helps:
            lines += _wrapped(f"    with {trial.price}")
    return lines


def _cell(row: Row, variant: str, base: str, width: int) -> str:
    milliseconds = row.milliseconds(variant)
    if milliseconds is None:
        return terminal.paint(f"{'not measured':>{width}}", terminal.DIM)
    figure = duration(milliseconds)
    ratio = row.ratio(variant, base)
    if variant == base or ratio is None:
        return f"{figure:>{width}}"
    text = f"{figure} {ratio:5.1f} x" if ratio >= 10 else f"{figure}  {ratio:.2f} x"
    colour = (terminal.RED,) if ratio >= _MUCH else (terminal.YELLOW,) if ratio > NOTHING else ()
    return terminal.paint(f"{text:>{width}}", *colour)


def _advice(results: Results) -> list[str]:
    """Conclusions from the figures, where they allow any."""
    base = results.variants[0].name
    slow = [
        row
        for row in results.rows
        if "workspace" in row.title and (row.ratio("gvisor", base) or 0) >= _MUCH
    ]
    lines = [
        f"not measured: {row.title} in {name}: {why}"
        for row in results.rows
        for name, why in row.why.items()
    ]
    if slow:
        lines += [
            "",
            "gVisor asks the host for every file of the workspace: folders that nobody edits by "
            "hand belong in memory",
            'hint: `[workspace] hot = ["node_modules"]` in sandboxd.toml',
        ]
    return [terminal.printable(line) for line in lines]
