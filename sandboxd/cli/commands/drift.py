"""Compare the running sandbox with the project's plan, and say what is really in force.

Exit code 0: as planned. 6: it differs. Controls that cannot be seen from inside are named as such.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox

if TYPE_CHECKING:
    from sandboxd.observe.controls import Control
    from sandboxd.observe.drift import Drift

HELP = "compare the running sandbox with its plan"

_COLOURS = {"in force": terminal.GREEN, "not in force": terminal.YELLOW, "cannot be seen": ""}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK
    from sandboxd.life.find import locate
    from sandboxd.observe import controls, inspection, look_inside, outside
    from sandboxd.observe.drift import differences
    from sandboxd.plan.writers.engine import arguments

    directory = _sandbox.folder(args)
    engine = _sandbox.connect()
    container = locate(engine, directory)
    plan = _sandbox.plan(directory)
    inspected = engine.inspect(container.id)
    live = inspection.container(inspected)
    found = differences(inspection.requested(arguments(plan)), live)
    seen = controls.controls(
        live,
        look_inside.look(engine, container.id),
        look_inside.boot_id(),
        outside.look(engine, inspected),
    )
    if args.json:
        print(json.dumps(_as_json(container.name, found, seen), indent=2))
    else:
        _print(container.name, found, seen)
    return EXIT_NOT_HELD if found else EXIT_OK


def _as_json(name: str, found: tuple[Drift, ...], seen: tuple[Control, ...]) -> dict[str, Any]:
    return {
        "version": 1,
        "container": name,
        "drift": [difference._asdict() for difference in found],
        "controls": [control._asdict() for control in seen],
    }


def _print(name: str, found: tuple[Drift, ...], seen: tuple[Control, ...]) -> None:
    width = max(len(control.name) for control in seen)
    print(terminal.paint("seen inside:", terminal.BOLD))
    for control in seen:
        state = terminal.paint(f"{control.state:<14}", _COLOURS[control.state])
        print(
            f"  {terminal.one_line(control.name):<{width}}  {state}  {terminal.one_line(control.why)}"
        )
    if not found:
        print(f"\n{terminal.one_line(name)} is as planned")
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
