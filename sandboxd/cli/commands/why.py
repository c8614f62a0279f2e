"""Say what blocked a command that failed inside: the control, who decided it, the narrowest change, and its cost.

Without a command it is about the last `sandboxd exec` or lifecycle hook of this sandbox that failed; with one, that is
run first, and what it prints goes to stderr. Nothing is loosened or tried again: the answer comes from what the gateway, the kernel and
the engine saw, and from the program's own words. `blocked` is said where two of these agree; `perhaps` where one
stands alone. What a program prints can be made up, so look at a change before you make it.
"""

from __future__ import annotations

import json
import os
import sys

from sandboxd import terminal
from sandboxd.cli import attend, failures, plain_arguments
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_OK
from sandboxd.screen import cut, row

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.observe.diagnosis.case import Answer
    from sandboxd.operations.why import Cause

HELP = "say what blocked a command inside"

_MOST_ANSWERS = 3
_INDENT = 12
_LONGEST_COMMAND = 60
_NO_WRAP = 1 << 20
_HEADS = {
    "blocked": ("blocked", terminal.RED),
    "perhaps blocked": ("perhaps", terminal.YELLOW),
    "not by the sandbox": ("not by it", terminal.GREEN),
}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    parser.add_argument("--root", action="store_true", help="run the command as root inside")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "command",
        nargs=plain_arguments.REST,
        metavar="COMMAND",
        help="a command to run first, after `--`",
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.operations.options import WhyOptions
    from sandboxd.operations.why import decode

    folder, name = _sandbox.folder(args), _sandbox.name(args)
    command = _sandbox.command(args)
    before: tuple[str, ...] = ()
    if command:
        before = _counters(folder, name)
        if _run(folder, name, command, "0" if args.root else "") == 0:
            terminal.status("it did not fail")
            return EXIT_OK
    cause = decode(operate("why", folder, WhyOptions(name=name, before=before)))
    if args.json:
        document = {
            "version": 1,
            "command": list(cause.command),
            "exit_code": cause.exit_code,
            "outcome": cause.diagnosis.outcome,
            "answers": [answer._asdict() for answer in cause.diagnosis.answers],
        }
        print(json.dumps(document, indent=2))
    else:
        _print(cause)
    return EXIT_OK


def _counters(folder: str, name: str) -> tuple[str, ...]:
    from sandboxd.operations.why import count

    counters = count(_sandbox.connect(), folder, name)
    return () if counters is None else tuple(str(number) for number in counters)


def _run(folder: str, name: str, command: list[str], user: str) -> int:
    """Run the command with its whole output on stderr, and keep how it failed; its exit code."""
    at_end = failures.storing(folder, name, command, user, names_why=False)
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        return attend.run(
            folder, command, tty=False, stdin=False, user=user, env=[], name=name, at_end=at_end
        )
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def _print(cause: Cause) -> None:
    from sandboxd.egress import words

    command = cut(" ".join(cause.command), _LONGEST_COMMAND)
    ago = words.duration(cause.age)
    terminal.status(f"`{terminal.one_line(command)}` ended with {cause.exit_code}, {ago} ago")
    if not cause.is_same:
        terminal.status("the sandbox was started anew since then: what is in force may differ")
    if cause.diagnosis.answers:
        for answer in cause.diagnosis.answers[:_MOST_ANSWERS]:
            _print_answer(answer, *_HEADS[cause.diagnosis.outcome])
        return
    _print_row("not known", "nothing that was seen says that the sandbox blocked it")
    terminal.status(
        "hint: `sandboxd why -- COMMAND` runs it again and sees more; `sandboxd egress log` and "
        "`sandboxd drift --all` show what is in force"
    )


def _print_answer(answer: Answer, head: str, colour: str) -> None:
    control = f"{answer.control}: " if answer.control else ""
    decided = f" ({answer.decided_by})" if answer.decided_by else ""
    _print_row(head, f"{control}{answer.because}{decided}", colour)
    if answer.change:
        _print_row("  change", answer.change)
    elif answer.control:
        _print_row("  change", "no setting of this profile changes it")
    if answer.cost:
        _print_row("  its cost", answer.cost)


def _print_row(label: str, text: str, colour: str = "") -> None:
    columns = terminal.width() if sys.stdout.isatty() else _NO_WRAP
    first, *rest = row(label, terminal.one_line(text), columns, _INDENT, whole=True)
    print("\n".join([terminal.paint(label, colour) + first[len(label) :], *rest]))
