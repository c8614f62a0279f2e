"""Compare the running sandbox with the project's plan, and say what is really in force.

Mounts that the host took away, by replacing or moving what they are on, come first; they are looked at from outside each
time. Exit code 0: as planned. 6: it differs. A control is `in force`
where it was seen, by the host or by `sandboxd verify`; `not in force` where it was asked for and is not there;
`not seen`; `left out` where nothing asks for it; or `open`, a way out that is open on purpose.

With `--on CONTEXT` the objects on the cluster are compared with those that `up` applied; what a process inside says of
its rights is `not seen`, with the word of the sandbox.
"""

from __future__ import annotations

import sys
from collections import Counter

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.observe.control import STATES
from sandboxd.screen import row

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from sandboxd.backends.backend import Comparison
    from sandboxd.observe.control import Control

HELP = "compare the running sandbox with its plan"

_TO_BE_SEEN = ("not in force", "not seen", "open")
_NO_WRAP = 1 << 20

_COLOURS = {
    "differs": terminal.RED,
    "in force": terminal.GREEN,
    "not in force": terminal.RED,
    "open": terminal.YELLOW,
}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    parser.add_argument(
        "--all", action="store_true", help="name the controls that are in order, too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.cli.operating import operate
    from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK
    from sandboxd.operations.drift import decode
    from sandboxd.operations.options import SandboxOptions

    options = SandboxOptions(name=_sandbox.name(args))
    compared = decode(operate("drift", _sandbox.folder(args), options, on=args.on))
    if args.json:
        print(json.dumps(_as_json(compared, args.on), indent=2))
    else:
        _print(compared, everything=args.all, option=_sandbox.option(args))
    return EXIT_NOT_HELD if compared.differences else EXIT_OK


def _as_json(compared: Comparison, on: str) -> dict[str, Any]:
    return {
        # Version 1 of a sandbox on a cluster was a document of its own.
        "version": 2 if on else 1,
        "container": compared.container,
        "lost": compared.lost or None,
        "drift": [difference._asdict() for difference in compared.differences],
        "controls": [control._asdict() for control in compared.controls],
    }


def _print(compared: Comparison, *, everything: bool, option: str) -> None:
    """The differences, then what was not seen to be in force; the rest is counted.

    :param option: what a command needs behind it to mean that sandbox
    """
    if compared.lost:
        head = f"✗ {terminal.one_line(compared.lost)}"
        print(terminal.paint(head, terminal.RED, terminal.BOLD))
    name = terminal.one_line(compared.container)
    controls = [c for c in compared.controls if everything or c.state in _TO_BE_SEEN]
    if not compared.differences:
        print(f"{name} is as planned{_except(compared.controls)}")
    else:
        head = f"{name} differs from its plan:"
        print(terminal.paint(head, terminal.RED, terminal.BOLD))
        for difference in compared.differences:
            planned, live = difference.planned or "(nothing)", difference.live or "(nothing)"
            _print_row("differs", f"{difference.control}: planned {planned}, found {live}")
    for control in controls:
        _print_row(control.state, f"{control.name}: {control.why}")
    if not everything:
        print(_counts(compared.controls))
    if compared.hint:
        terminal.status(f"hint: {compared.hint}")
    elif compared.differences:
        terminal.status(f"hint: `sandboxd up{option}` makes the sandbox as planned")


def _print_row(state: str, text: str) -> None:
    columns = terminal.width() if sys.stdout.isatty() else _NO_WRAP
    first, *rest = row(f"  {state}", terminal.one_line(text), columns, 16)
    label = terminal.paint(first[:16], _COLOURS.get(state, ""))
    print("\n".join([label + first[16:], *rest]))


def _counts(controls: tuple[Control, ...]) -> str:
    numbers = Counter(control.state for control in controls)
    parts = [f"{numbers[state]} {state}" for state in STATES if numbers[state]]
    return f"controls: {', '.join(parts)}: `sandboxd drift --all` says what was seen of each"


def _except(controls: tuple[Control, ...]) -> str:
    """Words that name the controls that the plan asks for and that are not in force; '' if there are none."""
    missing = [terminal.one_line(c.name) for c in controls if c.state == "not in force"]
    return f", but not in force: {', '.join(missing)}" if missing else ""
