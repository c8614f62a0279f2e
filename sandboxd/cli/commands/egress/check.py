"""Say whether a name is let through, by the lines that the gateway itself decides with.

Exit code 0: it is. 1: it is not, or with a credential only. The address that a name resolves to is judged only when
it is dialled.
"""

from __future__ import annotations

import time

from sandboxd import terminal
from sandboxd.cli.commands.egress import _asking
from sandboxd.errors import EXIT_FINDINGS, EXIT_OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

HELP = "say whether a name is let through"


def configure(parser: argparse.ArgumentParser) -> None:
    _asking.add_host(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    answer = _asking.ask(args, "check", text=args.host)
    if args.json:
        import json

        fields = {key: value for key, value in answer.items() if key != "workspace"}
        print(json.dumps({"version": 1, **fields, "until": answer["until"] or None}, indent=2))
    else:
        word, colour = _verdict(answer)
        text = f"{answer['name']} at port {answer['port']}: {answer['words']}"
        if answer["until"]:
            text += f", {_asking.when(answer['until'], False, time.time())}"
        print(f"{terminal.paint(word, colour)}  {terminal.one_line(text)}")
        if answer["command"]:
            terminal.status(f"hint: `{answer['command']}`")
    return EXIT_OK if answer["allowed"] else EXIT_FINDINGS


def _verdict(answer: dict[str, Any]) -> tuple[str, str]:
    """The first word, and its colour."""
    if answer["allowed"]:
        return "allowed", terminal.GREEN
    return ("limited", terminal.YELLOW) if answer["credential"] else ("denied", terminal.RED)
