"""Compare the running sandbox with the project's plan, and say what is really in force.

Exit code 0: as planned. 6: it differs. A control is `in force`
where it was seen, by the host or by `sandboxd verify`; `not in force` where it was asked for and is not there;
`not seen`; `left out` where nothing asks for it; or `open`, a way out that is open on purpose.
"""

from __future__ import annotations

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from sandboxd.observe.control import Control
    from sandboxd.observe.drift import Drift

HELP = "compare the running sandbox with its plan"

_COLOURS = {"in force": terminal.GREEN, "not in force": terminal.RED, "open": terminal.YELLOW}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.cli.operating import operate
    from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK
    from sandboxd.operations.drift import decode

    compared = decode(operate("drift", _sandbox.folder(args), {}))
    if args.json:
        print(json.dumps(_as_json(*compared), indent=2))
    else:
        _print(*compared)
    return EXIT_NOT_HELD if compared.differences else EXIT_OK


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
