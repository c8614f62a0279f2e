"""Compare the running sandbox with the project's plan, and say what is really in force.

Exit code 0: as planned. 6: it differs. A control is `in force`
where it was seen, by the host or by `sandboxd verify`; `not in force` where it was asked for and is not there;
`not seen`; `left out` where nothing asks for it; or `open`, a way out that is open on purpose.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox

if TYPE_CHECKING:
    from sandboxd.observe.controls import Control
    from sandboxd.observe.drift import Drift

HELP = "compare the running sandbox with its plan"

_COLOURS = {"in force": terminal.GREEN, "not in force": terminal.RED, "open": terminal.YELLOW}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.cli.cancelling import cancelled_by_signals
    from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK
    from sandboxd.operations.drift import drift

    with cancelled_by_signals() as cancel:
        compared = drift(_sandbox.connect(), _sandbox.folder(args), os.environ, cancel=cancel)
    if args.json:
        print(json.dumps(_as_json(*compared), indent=2))
    else:
        _print(*compared)
    return EXIT_NOT_HELD if compared.differences else EXIT_OK


def _as_json(name: str, found: tuple[Drift, ...], seen: tuple[Control, ...]) -> dict[str, Any]:
    return {
        "version": 1,
        "container": name,
        "drift": [difference._asdict() for difference in found],
        "controls": [control._asdict() for control in seen],
    }


def _print(name: str, found: tuple[Drift, ...], seen: tuple[Control, ...]) -> None:
    width = max(len(control.name) for control in seen)
    print(terminal.paint("controls:", terminal.BOLD))
    for control in seen:
        state = terminal.paint(f"{control.state:<12}", _COLOURS.get(control.state, ""))
        print(
            f"  {terminal.one_line(control.name):<{width}}  {state}  {terminal.one_line(control.why)}"
        )
    if not found:
        print(f"\n{terminal.one_line(name)} is as planned{_except(seen)}")
        return
    print(
        terminal.paint(
            f"\n{terminal.one_line(name)} differs from its plan:", terminal.RED, terminal.BOLD
        )
    )
    for difference in found:
        planned, live = difference.planned or "(nothing)", difference.live or "(nothing)"
        print(terminal.one_line(f"  {difference.control}: planned {planned}, found {live}"))
    terminal.status("hint: `sandboxd up` makes the sandbox as planned")


def _except(seen: tuple[Control, ...]) -> str:
    """What the plan asks for and this machine does not do."""
    missing = [terminal.one_line(c.name) for c in seen if c.state == "not in force"]
    return f", but not in force: {', '.join(missing)}" if missing else ""
