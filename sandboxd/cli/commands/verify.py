"""Attack the running sandbox from inside, and show whether it holds.

Every attempt is judged by its effect: a secret of the host that came back, a file of the host that
changed, the host's own kernel or namespace. What a profile leaves open on purpose is shown as
residual. Nothing on the host is changed. The result is kept, and `sandboxd status` shows it for as
long as the sandbox is the one that was attacked.

The attempts are made in a replica: a container with the settings that the engine has of the sandbox, in
which nothing of the project and no program of the image runs, so neither can answer for it. It is removed
afterwards. With `--fresh` the replica is made of the plan, and no sandbox has to run.

`--diff BEFORE AFTER` compares two reports (JSON) and starts nothing; it exits with 6 when something
escapes that did not before.

A replica has fresh mounts. So the pins are looked at and tried in the sandbox in use, too: where the host replaced or
moved what one is on, that is the first line, and the sandbox did not hold.

The verdict comes first, then what did not hold, could not be shown or is left open on purpose; `--all` shows
each attempt.

With `--on CONTEXT` the Pod in use is attacked from inside, without a look at its node: what would take one is named
as not judged, and that something held is the word of a process in it.

Exit code 0: everything held. 6: something escaped. 4: it could not be shown that all held.
"""

from __future__ import annotations

import sys

from sandboxd import terminal
from sandboxd.cli import arguments
from sandboxd.cli.commands import _sandbox
from sandboxd.operations.options import VerifyOptions
from sandboxd.screen import wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from sandboxd.verify.judge import Outcome
    from sandboxd.verify.place import Place
    from sandboxd.verify.verdict import Result, Verdict

HELP = "attack the running sandbox and show whether it holds"

NEEDS = arguments.needs(VerifyOptions)
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""

_COLOURS = {
    "held": (terminal.GREEN,),
    "escaped": (terminal.RED, terminal.BOLD),
    "residual": (terminal.YELLOW,),
    "not-applicable": (terminal.DIM,),
    "not-judged": (terminal.DIM,),
    "inconclusive": (terminal.YELLOW, terminal.BOLD),
}

_IN_ORDER: tuple[Outcome, ...] = ("held", "not-applicable")
_NO_ROW: tuple[Outcome, ...] = (*_IN_ORDER, "not-judged")

_GROUPS = {"egress": "ways out by the network"}

# Columns of a terminal that evidence needs; where it has fewer, what was expected is not shown.
_LEAST_EVIDENCE = 30
_NO_WRAP = 1 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    arguments.add(parser, VerifyOptions)
    parser.add_argument(
        "--all", action="store_true", help="show the attempts that held or do not apply, too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--report", metavar="FILE", help="write a report, too: FILE ends with .html, .json or .md"
    )
    parser.add_argument(
        "--diff", nargs=2, metavar=("BEFORE", "AFTER"), help="compare two reports written as .json"
    )


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.cli import reports, verdict_report
    from sandboxd.cli.verifying import verify_sandbox

    if args.diff:
        return verdict_report.compare(*args.diff, as_json=args.json)
    if args.report:
        reports.check_name(args.report, *verdict_report.ENDINGS)
    verification = verify_sandbox(
        _sandbox.folder(args),
        arguments.chosen(
            args,
            VerifyOptions,
            name=_sandbox.name(args),
            with_controls=bool(args.json or args.report),
        ),
        on=args.on,
    )
    if args.json or args.report:
        document = verdict_report.document(verification)
        if args.report:
            verdict_report.write(args.report, document)
    verdict_report.say_verdict(verification)
    if args.json:
        print(json.dumps(document, indent=2))
    else:
        _table(verification.verdict, everything=args.all)
    sys.stdout.flush()
    verdict_report.say_what_was_attacked(verification, _sandbox.option(args))
    return verification.verdict.exit_code


def _table(verdict: Verdict, *, everything: bool = True) -> None:
    """The attempts that did not simply hold, or all of them."""
    results = [r for r in verdict.results if everything or r.outcome not in _NO_ROW]
    profile = f"profile {verdict.profile}" if verdict.profile else "no profile"
    if verdict.made_as:
        profile = (
            f"made as profile {verdict.made_as}, judged by what is asked for now: {verdict.profile}"
        )
    whose = "host" if verdict.place is None else "node"
    kernel = "a kernel of its own" if verdict.kernel == "own" else f"the {whose}'s kernel"
    head = f"{verdict.container}: runtime {verdict.runtime}, {kernel}, {profile}"
    print(terminal.paint(terminal.printable(head), terminal.BOLD))
    if verdict.place is not None:
        _print_place(verdict.place)
    if results:
        _rows(results)
    if not everything:
        _print_not_judged(verdict.of("not-judged"))
        counts = [f"{len(verdict.of(o))} {o}" for o in _IN_ORDER if verdict.of(o)]
        print(f"{', '.join(counts)}: `sandboxd verify --all` names them")


def _print_place(place: Place) -> None:
    from sandboxd.cli.verdict_place import lines_of

    for line in lines_of(place):
        print(terminal.one_line(line))


def _print_not_judged(results: list[Result]) -> None:
    from sandboxd.cli.verdict_place import not_judged

    columns = terminal.width() if sys.stdout.isatty() else _NO_WRAP
    for text in not_judged(results):
        print("\n  ".join(wrap(terminal.one_line(text), columns - 2)))


def _rows(results: Sequence[Result]) -> None:
    id_width = max(len(result.id) for result in results)
    expected_width = min(40, max(len(result.expected) for result in results))
    columns = terminal.width() if sys.stdout.isatty() else None
    if columns is not None and columns - id_width - expected_width - 20 < _LEAST_EVIDENCE:
        expected_width = 0
    between = "  " if expected_width else ""
    expected = f"{'EXPECTED':<{expected_width}}{between}" if expected_width else ""
    print(f"{'ATTEMPT':<{id_width}}  {expected}{'OUTCOME':<14}  EVIDENCE")
    group = ""
    for result in results:
        if result.group != group:
            group = result.group
            print(terminal.paint(_GROUPS[group], terminal.BOLD))
        outcome = terminal.paint(f"{result.outcome:<14}", *_COLOURS[result.outcome])
        evidence = terminal.printable(result.evidence).replace("\n", " ")
        expected = f"{_shorten(result.expected, expected_width):<{expected_width}}{between}"
        indent = id_width + len(expected) + 18
        if columns is not None:
            room = max(columns - indent, _LEAST_EVIDENCE)
            is_good = result.outcome in _IN_ORDER
            lines = [_shorten(evidence, room)] if is_good else wrap(evidence, room)
            evidence = ("\n" + " " * indent).join(lines)
        print(f"{result.id:<{id_width}}  {expected}{outcome}  {evidence}")


def _shorten(text: str, columns: int) -> str:
    """`text` cut to `columns`, a cut end marked; '' for no columns."""
    return text if len(text) <= columns else text[: max(columns - 1, 0)] + "…" * min(columns, 1)
