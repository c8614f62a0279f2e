"""List the rules for names that hold in this project, each with its source and what is left of its time.

A denial wins over every rule. A line that begins with `with` is a host that the gateway reaches with a credential.
"""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.commands.egress import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

HELP = "list the rules, with their sources"

_OBSTACLES = {
    "denied": "counts for nothing: a policy denies it",
    "canary": "counts for nothing: it is a tripwire",
    "outside": "counts for nothing: it is not in the list of a policy",
    "no-grants": "counts for nothing: the policy forbids grants",
}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    answer = _asking.ask(args, "list")
    rows, credentials = answer["rows"], answer["credentials"]
    if args.json:
        import json

        fields = [{**row, "until": row["until"] or None} for row in rows]
        document = {
            "version": 1,
            "rules": fields,
            "tripwire": answer["tripwire"] or None,
            "credentials": credentials,
        }
        print(json.dumps(document, indent=2))
        return 0
    width = max((len(row["name"]) for row in (*rows, *credentials)), default=0)
    for row in rows:
        colour = terminal.GREEN if row["answer"] == "allow" else terminal.RED
        word = terminal.paint(f"{row['answer']:<5}", colour)
        print(f"{word}  {row['name']:<{width}}  {terminal.one_line(_words(row, answer['now']))}")
    for row in credentials:
        word = terminal.paint("with ", terminal.YELLOW)
        print(f"{word}  {row['name']:<{width}}  {terminal.one_line(_credential_words(row))}")
    if answer["tripwire"]:
        print(f"{terminal.paint('trap ', terminal.YELLOW)}  {answer['tripwire']}")
    if answer["problem"]:
        terminal.status(f"not counted: {answer['problem']}")
    if not rows and not credentials:
        terminal.status("no name is let through; `sandboxd egress allow NAME` lets one through")
    return 0


def _words(row: dict[str, Any], now: float) -> str:
    parts = [_asking.ports(row["ports"]), f"by {row['source']}"]
    if row["by"]:
        parts[-1] = f"by your answer in the {row['by']}"
        parts.append(_asking.when(row["until"], row["once"], now))
    if row["private"]:
        parts.append("private addresses, too")
    if row["obstacle"]:
        parts.append(_OBSTACLES[row["obstacle"]])
    return "; ".join(parts)


def _credential_words(row: dict[str, Any]) -> str:
    words = (
        f"{_asking.ports([row['port']])}; the credential `{row['credential']}` ({row['requests']})"
    )
    if row["reason"] in _OBSTACLES:
        return f"{words}; {_OBSTACLES[row['reason']]}"
    return words if row["reason"] in ("allowed", "service") else f"{words}, and nothing else"
