"""List what `check` looks for."""

from __future__ import annotations

import argparse

from sandboxd import terminal
from sandboxd.errors import EXIT_OK

HELP = "list what `check` looks for"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how the list is printed"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd import rules as catalogue

    metas = [rule.META for rule in catalogue.load().values()]
    if args.format == "json":
        import json

        listed = [
            {
                "id": meta.id,
                "severity": meta.severity.label,
                "summary": meta.summary,
                "why": meta.why,
                "since": meta.since,
            }
            for meta in metas
        ]
        print(json.dumps({"version": 1, "rules": listed}, indent=2))
        return EXIT_OK
    width = max(len(meta.id) for meta in metas)
    for meta in metas:
        head = f"{meta.id:<{width}}  {meta.severity.label:<7}  "
        print(terminal.fitted(f"{head}{meta.summary}", len(head)))
    return EXIT_OK
