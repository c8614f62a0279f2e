"""What this host can run sandboxes with, and why not with more.

Each runtime that the engine knows starts one small container; the outcome is remembered until
the engine, the runtime or the kernel changes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, UnreadableError, UsageError

HELP = "what this host can do, and why not more"


def configure(parser: argparse.ArgumentParser) -> None:
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the facts as JSON")
    output.add_argument(
        "--raw", action="store_true", help="print the raw answers, for a bug report"
    )
    parser.add_argument("--facts", metavar="FILE", help="judge a report of `--raw` instead")


def run(args: argparse.Namespace) -> int:
    from sandboxd.cli import doctor_screen
    from sandboxd.host.facts import from_raw

    raw = _raw(args.facts)
    facts = from_raw(raw)
    if args.raw:
        json.dump(raw, sys.stdout, indent=2)
        print()
    elif args.json:
        json.dump(doctor_screen.as_json(facts), sys.stdout, indent=2)
        print()
    else:
        print(doctor_screen.render(facts))
    return EXIT_OK if facts.engine is not None and not facts.engine.error else EXIT_ENVIRONMENT


def _raw(path: str | None) -> dict[str, object]:
    if path is None:
        from sandboxd.host.probe import raw_facts

        return raw_facts(os.environ, trial=True)
    from sandboxd.files import read_source

    try:
        value = json.loads(read_source(path).text)
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(
            f"`{path}` is no report of `sandboxd doctor --raw`",
            f"make one: `sandboxd doctor --raw > {path}`",
        )
    return value
