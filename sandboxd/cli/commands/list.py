"""List the sandboxes of all projects on this engine."""

from __future__ import annotations

import argparse

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox

HELP = "list the sandboxes of all projects"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.policy.labels import EDITOR, MADE_BY
    from sandboxd.sandbox.run import PROFILE, PROJECT, find_all

    rows = [
        {
            "name": c.name,
            "state": c.state,
            "profile": c.labels.get(PROFILE, ""),
            "project": c.labels[PROJECT],
            "image": c.image,
            "made_by": c.labels.get(MADE_BY, EDITOR),
            "id": c.id,
        }
        for c in find_all(_sandbox.connect())
    ]
    if args.json:
        print(json.dumps({"version": 1, "sandboxes": rows}, indent=2))
        return 0
    if not rows:
        terminal.status("no sandboxes")
        return 0
    columns = ("name", "state", "profile", "project")
    widths = {c: max(len(c), *(len(row[c]) for row in rows)) for c in columns}
    for row in ({c: c.upper() for c in columns}, *rows):
        print(terminal.one_line("  ".join(row[c].ljust(widths[c]) for c in columns).rstrip()))
    return 0
