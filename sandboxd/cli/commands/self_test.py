"""Look whether this installation is whole, and what of it works on this machine.

For the first minute after an installation or an upgrade. Nothing stays behind, and no container
is started: `sandboxd doctor` tries the runtimes. Exit code 0: all that must work does; an engine need
not be there. 3: sandboxd is not whole. 4: this machine lacks something.
"""

from __future__ import annotations

import argparse
import os

from sandboxd import terminal
from sandboxd.errors import EXIT_BUG, EXIT_OK

HELP = "look whether this installation works"

_COLOURS = {"ok": terminal.GREEN, "failed": terminal.RED, "absent": terminal.YELLOW}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json
    import logging

    from sandboxd import __version__
    from sandboxd.cli import self_tests

    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    if not args.json:
        print(f"sandboxd {__version__}, {self_tests.python()}\n")
    results = []
    for result in self_tests.run(os.environ):
        results.append(result)
        if not args.json:
            outcome = terminal.paint(f"{result.outcome:<7}", _COLOURS[result.outcome])
            print(f"  {outcome} {result.name:<16} {terminal.one_line(result.detail)}", flush=True)
    failed = [result.exit_code for result in results if result.exit_code != EXIT_OK]
    code = EXIT_BUG if EXIT_BUG in failed else max(failed, default=EXIT_OK)
    if args.json:
        rows = [{"name": r.name, "outcome": r.outcome, "detail": r.detail} for r in results]
        report = {"version": 1, "sandboxd": __version__, "ok": code == EXIT_OK, "looks": rows}
        print(json.dumps(report, indent=2))
    else:
        print(f"\n{_verdict(code, [r.name for r in results if r.outcome == 'failed'])}")
    return code


def _verdict(code: int, failed: list[str]) -> str:
    if code == EXIT_OK:
        return (
            "this installation works\nnext: `sandboxd doctor` says what sandboxes it can run here"
        )
    names = ", ".join(failed)
    if code == EXIT_BUG:
        return f"this installation is not whole: {names}\nhint: install sandboxd again"
    return f"this machine lacks something: {names}\nhint: the line above says what"
