"""Show what the sandbox of this project was denied, reached and asked for, with the command that would allow it.

Names are shown in full, as they were asked for. The log begins with the sandbox; attempts that differ
in nothing but their time are one line. Behind them stand the bytes that connections sent and received, by name.
"""

from __future__ import annotations

import sys
import time

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.commands.egress import _asking
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.screen import size_text, wrap_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

HELP = "names that were denied, reached and asked for"

_LOOK_SECONDS = 0.5
_END_SECONDS = 20.0
"""Seconds that the end of a sandbox may take; under gVisor, on a machine with much to do, it takes several."""
_INDENT = 10
_MARK = "> "
_MOST_CARRIED = 20
"""Names whose bytes are shown; the document has all."""
_COLOURS = {"denied": terminal.RED, "reached": terminal.GREEN}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on as long as it runs")
    parser.add_argument(
        "--json", action="store_true", help="print JSON; with --follow an object a line"
    )


def run(args: argparse.Namespace) -> int:
    ask = _asking.asker(args)
    log = ask("log")
    if not log["is_running"]:
        if args.json:
            _print_document(log)
        beside = log.get("beside")
        other = f"; or name one that is there: `--name {beside[0]}`" if beside else ""
        raise EnvironmentFailure(
            f"no sandbox of `{log['workspace']}` with a gateway runs",
            f"start it: `sandboxd up{_sandbox.option(args)}`{other}",
        )
    if log["mode"] != "allow":
        network = "no network" if log["mode"] == "none" else "an open network"
        terminal.status(
            f"`{log['workspace']}` is to have {network} now: this is the record of the gateway that still "
            f"runs; `sandboxd up{_sandbox.option(args)}` takes it away"
        )
    if args.follow:
        return _follow(args, ask, log)
    if args.json:
        _print_document(log)
    else:
        _print(log["rows"], log["questions"], _sandbox.option(args))
        _print_carried(log["carried"])
        _say_totals(log)
        if log.get("hint"):
            terminal.status(f"hint: {log['hint']}")
    return 0


def _follow(
    args: argparse.Namespace, ask: Callable[..., dict[str, Any]], log: dict[str, Any]
) -> int:
    """Show what is new, until the sandbox ends."""
    option = _sandbox.option(args)
    printed: dict[tuple[Any, ...], int] = {}
    asked: set[int] = set()
    while log["is_running"]:
        # Only what is in the log of now is remembered: whoever is inside chooses how much there is.
        times = {_key(row): int(row["times"]) for row in log["rows"]}
        rows = [row for row in log["rows"] if row["times"] > printed.get(_key(row), 0)]
        questions = [question for question in log["questions"] if question["id"] not in asked]
        printed, asked = times, {question["id"] for question in log["questions"]}
        if args.json:
            _print_lines(rows, questions)
        else:
            _print(rows, questions, option)
        sys.stdout.flush()
        time.sleep(_LOOK_SECONDS)
        try:
            log = _next(ask)
        except UsageError:
            # A project that is to have no gateway is refused once that of before is gone.
            if log["mode"] == "allow":
                raise
            break
    terminal.status("the sandbox ended")
    return 0


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("outcome", "name", "port", "door", "reason", "rule"))


def _next(ask: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The log of now; while a gateway goes away it answers nothing, and is still said to run.

    :raises EnvironmentFailure: that lasts longer than an end does
    """
    deadline = time.monotonic() + _END_SECONDS
    while True:
        try:
            return ask("log")
        except EnvironmentFailure:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_LOOK_SECONDS)


def _print(rows: list[dict[str, Any]], questions: list[dict[str, Any]], option: str) -> None:
    """Print attempts, then questions with their answers; `option` is what an answer needs behind it."""
    now = time.time()
    for row in rows:
        colour = _COLOURS[row["outcome"]]
        word = "tripwire" if row["reason"] == "canary" else row["outcome"]
        if word == "tripwire":
            colour = f"{terminal.RED};{terminal.BOLD}"
        print(f"{terminal.paint(f'{word:<8}', colour)}  {_marked(_words(row, now))}")
        if row["command"]:
            print(f"{'':<8}  {row['command']}")
    for question in questions:
        from sandboxd.egress import words

        target = words.target(question["name"], question["port"])
        age = words.duration(now - question["time"])
        text = f'{question["name"]} at port {question["port"]}, {age} ago, for: "{question["why"]}"'
        print(f"{terminal.paint('asked   ', terminal.YELLOW)}  {_marked(text)}")
        print(f"{'':<8}  sandboxd egress allow {target}{option}")
        print(f"{'':<8}  sandboxd egress deny {question['name']}{option}")


def _marked(text: str) -> str:
    """`text` with words from inside, each further row on a terminal behind a mark: a row of ours has none."""
    line = " ".join(terminal.one_line(text).split())
    if not sys.stdout.isatty():
        return line
    first, *rest = wrap_all(line, max(terminal.width() - _INDENT, 20))
    return "\n".join([first, *(f"{_MARK:>{_INDENT}}{row}" for row in rest)])


def _words(row: dict[str, Any], now: float) -> str:
    from sandboxd.egress.words import duration

    port = f" at port {row['port']}" if row["port"] else ""
    times = "once" if row["times"] == 1 else f"{row['times']} times"
    detail = f" ({row['detail']})" if row["detail"] else ""
    rule = f", by {row['rule']}" if row["rule"] else ""
    age = duration(now - row["last"])
    name = row["name"] or "(no name)"
    return f"{name}{port}: {row['words']}{detail}{rule}; {row['door']}, {times}, {age} ago"


def _print_carried(carried: list[dict[str, Any]] | None) -> None:
    """Print the bytes by name; the names that were sent least are summed up."""
    from sandboxd.egress import words

    if carried is None:
        terminal.status(f"bytes: {words.NOT_COUNTED}")
        return
    for each in carried[:_MOST_CARRIED]:
        name = each["name"] or words.OTHER_NAMES
        sent, received = size_text(each["bytes_up"]), size_text(each["bytes_down"])
        print(f"carried   {_marked(f'{name}: sent {sent}, received {received}')}")
    if rest := carried[_MOST_CARRIED:]:
        sent, received = (
            size_text(sum(each[way] for each in rest)) for way in ("bytes_up", "bytes_down")
        )
        print(f"carried   {len(rest)} more names: sent {sent}, received {received}")


def _say_totals(log: dict[str, Any]) -> None:
    totals = log["totals"]
    if not log["rows"] and not log["questions"]:
        terminal.status("nothing was tried yet")
    if totals["of_verify"]:
        terminal.status(f"{totals['of_verify']} attempts of `sandboxd verify` are not shown")
    if totals["lost"]:
        terminal.status(
            f"{totals['lost']} attempts are not shown: there were too many{_of_them(totals)}"
        )


def _of_them(totals: dict[str, Any]) -> str:
    """A phrase with the numbers of connections and tripwires among the entries that are not shown; '' without any."""
    parts = [
        f"{label}: {totals[name]}"
        for name, label in (("lost_tripwires", "tripwires"), ("lost_reached", "reached"))
        if totals[name]
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _print_document(log: dict[str, Any]) -> None:
    import json

    print(json.dumps(_document(log), indent=2))


def _document(log: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": 1,
        "running": log["is_running"],
        "lines": log["rows"],
        "questions": log["questions"],
        "totals": log["totals"],
        "carried": log.get("carried"),
    }


def _print_lines(rows: list[dict[str, Any]], questions: list[dict[str, Any]]) -> None:
    import json

    for row in rows:
        print(json.dumps(row))
    for question in questions:
        print(json.dumps({"outcome": "asked", **question}))
