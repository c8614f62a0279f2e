"""The runtimes that this host can run sandboxes with, and why not with more.

Each runtime that the engine knows starts one small container; the outcome is remembered until
the engine, the runtime or the kernel changes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, UsageError
from sandboxd.files import find_upward

HELP = "what this host can do, and why not more"

NEEDS = {
    "long": "describe at length",
    "raw": "print raw facts",
    "try_anew": "probe anew",
    "facts": "judge a report",
}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_on(parser, follows_file=False)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--long", action="store_true", help="all that was seen of this machine")
    output.add_argument("--json", action="store_true", help="print the facts as JSON")
    output.add_argument(
        "--raw", action="store_true", help="print the raw answers, for a bug report"
    )
    parser.add_argument(
        "--try",
        dest="try_anew",
        action="store_true",
        help="try every runtime, and what each gVisor build holds, again",
    )
    parser.add_argument("--facts", metavar="FILE", help="judge a report of `--raw` instead")


def run(args: argparse.Namespace) -> int:
    if args.on:
        from sandboxd.cli.on_cluster import looking

        return looking.doctor(args.on, as_json=args.json)
    from sandboxd import terminal
    from sandboxd.cli.caches_report import caches_document, caches_line
    from sandboxd.cli.host_report import raw_facts
    from sandboxd.host.facts.raw_answers import from_raw
    from sandboxd.render.screens import doctor as doctor_screen
    from sandboxd.screen import fit

    raw = raw_facts(args.facts, anew=args.try_anew)
    facts = from_raw(raw)
    # A report may be of another machine.
    policy = _fault_of_policy() if args.facts is None else None
    if args.raw:
        json.dump(raw, sys.stdout, indent=2)
        print()
    elif args.json:
        data = doctor_screen.as_json(facts, policy)
        data["caches"] = None if args.facts is not None else caches_document(facts)
        json.dump(data, sys.stdout, indent=2)
        print()
    elif args.long:
        print(fit(doctor_screen.render(facts, policy), terminal.width()))
        if args.facts is None:
            print(fit(f"\ncaches   {caches_line(facts)}", terminal.width()))
    else:
        has_config = find_upward(os.getcwd(), "sandboxd.toml") is not None
        print(doctor_screen.brief(facts, terminal.width(), has_config, policy))
    return EXIT_OK if facts.answered else EXIT_ENVIRONMENT


def _fault_of_policy() -> UsageError | None:
    """The fault of the policy that stops every start; None where it can be read."""
    from sandboxd.policy import floor

    try:
        floor.load(os.environ)
    except UsageError as error:
        return error
    return None
