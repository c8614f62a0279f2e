"""The state that is really in force: the project here in a few lines, each other one in one.

The symbol before a project reads without colour: `✓` it runs and held against `verify`, `·` it runs,
`!` something is not as asked, `✗` it is broken or did not hold, `?` it could not be seen, `-` it does not run.
`--short` prints the symbol and one word, and nothing outside of a project, for a shell's prompt.

Answered by the daemon when one runs; without one the project of the current folder is looked at
once. Nothing is claimed of a container that was not observed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_DAEMON, EXIT_OK, DaemonError, UsageError

if TYPE_CHECKING:
    from sandboxd.ipc import messages

HELP = "show what is asked for and what is really in force"

NEEDS = {"watch": "watch", "all": "show all", "short": "answer at once"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_on(parser)
    parser.add_argument(
        "--json", action="store_true", help="machine-readable; with --watch by line"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--long", action="store_true", help="all that is known, each control with what was seen"
    )
    form.add_argument("--all", action="store_true", help="a line for every project, however many")
    form.add_argument("--short", action="store_true", help="a symbol and a word, for a prompt")
    parser.add_argument(
        "--watch",
        action="store_true",
        help="go on, live: one screen on a terminal, else line by line",
    )
    parser.add_argument(
        "--name", metavar="NAME", default="",
        help="with --on: one of several sandboxes of the project; without it all are shown",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    if args.on:
        from sandboxd.cli.on_cluster import looking
        from sandboxd.operations.on_cluster.target import target

        return looking.status(target(args.on, os.getcwd(), _sandbox.name(args), os.environ), args)
    if args.name:
        raise UsageError(
            f"`--name {args.name}` goes with `--on CONTEXT`",
            "`sandboxd list` shows all sandboxes here",
        )
    from sandboxd.ipc import client

    form = _form(args)
    try:
        connection = client.connect(os.environ, start=False)
    except DaemonError as error:
        terminal.error(error)
        _print_once(form, error)
        return EXIT_DAEMON
    if connection is None:
        if args.watch:
            raise DaemonError(
                "no daemon is running, so nothing can be watched", "`sandboxd daemon start`"
            )
        _print_once(form, None)
        return EXIT_OK
    with connection:
        return _watch(connection, form) if args.watch else _ask(connection, form)


def _form(args: argparse.Namespace) -> str:
    chosen = [name for name in ("json", "long", "all", "short") if getattr(args, name)]
    return chosen[0] if chosen else "text"


def _ask(connection: Any, form: str) -> int:
    from sandboxd.ipc import messages

    answer = connection.request(messages.STATUS_RENDER, _terminal(form))
    sys.stdout.write(answer["text"])
    return int(answer["exit"])


def _watch(connection: Any, form: str) -> int:
    """Print the snapshot, `live`, then each event; as JSON one line each."""
    from sandboxd.cli import live_screen
    from sandboxd.ipc import messages

    as_json = form == "json"
    if not as_json and live_screen.possible():
        return _show(connection, form)
    connection.request(messages.STATUS_WATCH, _terminal(form))
    for method, params in connection.events():
        if as_json:
            if method == messages.SNAPSHOT:
                params = json.loads(params["text"])
            print(json.dumps({"type": method, **params}), flush=True)
        elif method == messages.SNAPSHOT:
            print(params["text"], end="", flush=True)
        elif method == messages.LIVE:
            terminal.status("-- live, Ctrl-C ends --")
        else:
            print(terminal.one_line(_line(params)), flush=True)
    raise _error_of_end()


def _show(connection: Any, form: str) -> int:
    """Show one screen and update it until Ctrl-C."""
    from sandboxd.cli import live_screen
    from sandboxd.ipc import messages
    from sandboxd.ipc.client import ConnectionLost

    def ask() -> str:
        return str(connection.request(messages.STATUS_RENDER, _terminal(form))["text"])

    last: Mapping[str, Any] = {}

    def describe(method: str, params: Mapping[str, Any]) -> str:
        nonlocal last
        if method != messages.EVENT or _says_less(params, last):
            return ""
        last = params
        return _line(params)

    connection.request(messages.STATUS_WATCH, _terminal(form))
    try:
        live_screen.show(connection, ask, describe)
    except ConnectionLost:
        raise _error_of_end() from None
    except KeyboardInterrupt:
        return EXIT_OK


def _says_less(event: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether `event` is the look at files that `last` says were written: it would cover that at once."""
    kinds = (last.get("kind"), event.get("kind"))
    return kinds == ("regenerated", "unchanged") and last.get("path") == event.get("path")


def _error_of_end() -> DaemonError:
    return DaemonError("the daemon ended", "`sandboxd daemon start` starts it again")


def _line(event: Mapping[str, Any]) -> str:
    what = str(event.get("message") or ", ".join(event.get("files") or ()))
    took = event.get("milliseconds")
    parts = [str(event.get("kind")), str(event.get("path", "")), what]
    if took is not None:
        parts.append(f"({took} ms)")
    return "  ".join(part for part in parts if part)


def _terminal(form: str) -> messages.Render:
    return {
        "format": form,
        "colour": terminal.colours(sys.stdout),
        "columns": terminal.width(),
    }


def _follow(sandbox: str) -> str:
    """Have a sandbox have what it may have now, since no daemon does; the reason why that is not known, or ''."""
    from sandboxd.engine.client import connect_from
    from sandboxd.operations.following import follow_one

    return follow_one(sandbox, os.environ, lambda: connect_from(os.environ)).behind


def _print_once(form: str, error: DaemonError | None) -> None:
    from sandboxd.status import as_json, text
    from sandboxd.status.once import look_once

    report = look_once(os.environ, os.getcwd(), time.time(), error, _follow)
    if form == "json":
        sys.stdout.write(as_json.render(report))
        return
    colour, columns = terminal.colours(sys.stdout), terminal.width()
    sys.stdout.write(text.render(report, text.form(form), colour=colour, columns=columns))
