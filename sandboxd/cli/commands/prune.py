"""Show what sandboxd keeps on the engine and in your state folder, with its size; `--yes` frees what is unused.

Caches, pins, networks and gateways that nothing uses go, and are made again when they are needed. What may hold
work (private copies, homes, images that were built, kept results) stays unless `--all` asks for it as well. A git
directory of a sandbox that is gone goes if your repository has all that was committed there, and else never.

Caches have a bound together, 20 GiB or `caches` in policy.toml: once a day the daemon takes those away that were used
longest ago and that no container has.

Only what has our label and our name is looked at.

What a sandbox was given on an engine that does not answer cannot be taken back there, and each command that takes
something back says so and ends with 6. `--engine-gone ADDRESS` says that this engine is gone for good; nothing else is
done then. It is refused while the engine answers, and recorded. Should the engine come back, what runs there still has
what it was given, until a daemon runs, or `sandboxd status` with that engine.
"""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.cli import arguments
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_OK
from sandboxd.operations.options import PruneOptions
from sandboxd.screen import size_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

HELP = "show what sandboxd keeps, and free what is unused"


def configure(parser: argparse.ArgumentParser) -> None:
    arguments.add(parser, PruneOptions)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--engine-gone",
        metavar="ADDRESS",
        help="say that an engine is gone for good, so that nobody waits for what was given there",
    )


def run(args: argparse.Namespace) -> int:
    if args.engine_gone is not None:
        return _note_gone(args.engine_gone)
    pruned = operate("prune", os.getcwd(), arguments.chosen(args, PruneOptions))
    rows: list[dict[str, Any]] = pruned["rows"]
    if args.json:
        import json

        print(json.dumps({"version": 1, "rows": rows, "caches": pruned["caches"]}, indent=2))
        return EXIT_OK
    for row in rows:
        _print(row)
    caches = pruned["caches"]
    size, bound = size_text(caches["size"]), size_text(caches["bound"])
    terminal.status(f"caches of packages: {size}, at most {bound} (`caches` in policy.toml)")
    if args.yes:
        _say_freed([row for row in rows if row["is_freed"]])
    else:
        _say_next(rows, args.all)
    return EXIT_OK


def _note_gone(address: str) -> int:
    from sandboxd.engine.client import connect_from
    from sandboxd.model.sandbox_id import describe
    from sandboxd.operations.given_records import note_engine_gone

    for record in note_engine_gone(os.environ, address, connect_from):
        what = terminal.one_line(f"{describe(record.sandbox)} on `{address}`")
        terminal.status(f"{what}: what it was given there is not waited for any more")
    return EXIT_OK


def _print(row: dict[str, Any]) -> None:
    state = "freed" if row["is_freed"] else row["state"]
    size = "" if row["size"] is None else size_text(row["size"])
    colour = {"freed": terminal.GREEN, "unused": terminal.YELLOW}.get(state)
    head = f"{state:<7} {size:>10}  {row['kind']:<8}  "
    text = terminal.fitted(f"{head}{row['name']}  {row['about']}", len(head))
    print(f"{terminal.paint(text[: len(state)], colour or '')}{text[len(state) :]}")


def _say_freed(rows: list[dict[str, Any]]) -> None:
    terminal.status(f"freed {terminal.count(len(rows), 'thing')}, {_total(rows)}")


def _say_next(rows: list[dict[str, Any]], with_work: bool) -> None:
    unused = [row for row in rows if row["state"] == "unused"]
    work = [row for row in rows if row["state"] == "work"]
    wanted = [*unused, *(work if with_work else [])]
    if wanted:
        command = f"sandboxd prune {'--all ' if with_work else ''}--yes"
        terminal.status(f"nothing was freed; `{command}` frees {_total(wanted)}")
    else:
        terminal.status("nothing is unused")
    if work and not with_work:
        terminal.status(
            f"{_total(work)} may hold work: `sandboxd review` first, then `sandboxd prune --all`"
        )


def _total(rows: list[dict[str, Any]]) -> str:
    return size_text(sum(row["size"] or 0 for row in rows))
