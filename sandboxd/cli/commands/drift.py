"""Compare the running sandbox with the project's plan, and say what is really in force.

Exit code 0: as planned. 6: it differs. A control is `in force`
where it was seen, by the host or by `sandboxd verify`; `not in force` where it was asked for and is not there;
`not seen`; `left out` where nothing asks for it; or `open`, a way out that is open on purpose.
"""

from __future__ import annotations

import os

from sandboxd.cli import progress, terminal
from sandboxd.cli.commands import _sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from sandboxd.observe.control import Control
    from sandboxd.observe.drift import Drift
    from sandboxd.operations.drift import Compared

HELP = "compare the running sandbox with its plan"

_COLOURS = {"in force": terminal.GREEN, "not in force": terminal.RED, "open": terminal.YELLOW}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK

    compared = _compare(_sandbox.folder(args))
    if args.json:
        print(json.dumps(_as_json(*compared), indent=2))
    else:
        _print(*compared)
    return EXIT_NOT_HELD if compared.differences else EXIT_OK


def _compare(directory: str) -> Compared:
    """Compare by a running daemon, else in this process."""
    from sandboxd.cli import through_daemon
    from sandboxd.cli.cancelling import cancelled_by_signals
    from sandboxd.ipc import messages
    from sandboxd.operations import wire
    from sandboxd.operations.drift import drift

    answer = through_daemon.operate(messages.DRIFT, directory, {}, progress.say)
    if answer is not None:
        return wire.compared(answer)
    with cancelled_by_signals() as cancel:
        return drift(_sandbox.connect(), directory, os.environ, cancel=cancel)


def _as_json(
    name: str, differences: tuple[Drift, ...], controls: tuple[Control, ...]
) -> dict[str, Any]:
    return {
        "version": 1,
        "container": name,
        "drift": [difference._asdict() for difference in differences],
        "controls": [control._asdict() for control in controls],
    }


def _print(name: str, differences: tuple[Drift, ...], controls: tuple[Control, ...]) -> None:
    width = max(len(control.name) for control in controls)
    print(terminal.paint("controls:", terminal.BOLD))
    for control in controls:
        state = terminal.paint(f"{control.state:<12}", _COLOURS.get(control.state, ""))
        print(
            f"  {terminal.one_line(control.name):<{width}}  {state}  {terminal.one_line(control.why)}"
        )
    if not differences:
        print(f"\n{terminal.one_line(name)} is as planned{_except(controls)}")
        return
    print(
        terminal.paint(
            f"\n{terminal.one_line(name)} differs from its plan:", terminal.RED, terminal.BOLD
        )
    )
    for difference in differences:
        planned, live = difference.planned or "(nothing)", difference.live or "(nothing)"
        print(terminal.one_line(f"  {difference.control}: planned {planned}, found {live}"))
    terminal.status("hint: `sandboxd up` makes the sandbox as planned")


def _except(controls: tuple[Control, ...]) -> str:
    """The downgrades of the plan: what it asks for and this machine does not do."""
    missing = [terminal.one_line(c.name) for c in controls if c.state == "not in force"]
    return f", but not in force: {', '.join(missing)}" if missing else ""
