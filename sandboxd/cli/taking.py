"""`review --take`: what was taken of the commits that wait on the host, and the next step for the rest."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, UsageError
from sandboxd.operations.options import TakeOptions

if TYPE_CHECKING:
    import argparse
    from typing import Any

_WHOLE_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def require_alone(args: argparse.Namespace, option: str) -> None:
    """Refuse what means nothing with `--take`.

    :param option: by which a command means the same sandbox
    :raises UsageError: `--take` with what is about files, or with a cluster, whose commits come by `--save`; or with
        `--yes` or `--expect` for more than the one tip that was looked at
    """
    others = (args.stat, args.diff, args.apply, args.json, args.save, args.include, args.only)
    if args.on or any(others) or args.deletions is not None:
        raise UsageError("`--take` takes commits alone", "leave the rest to another run")
    if args.expect and not _WHOLE_ID.fullmatch(args.expect):
        raise UsageError(
            f"`{args.expect}` is no whole id of a commit",
            "whoever made the commit chose how its id begins: `git rev-parse REF` prints it whole",
        )
    if (args.yes and not args.expect) or (args.expect and not args.take):
        branch = shlex.quote(args.take or "BRANCH")
        raise UsageError(
            "that would take what nobody looked at",
            f"`sandboxd review{option} --take {branch}` names the files, and the command that takes just those commits",
        )


def take(directory: str, name: str, ref: str, expect: str | None, *, acting: bool) -> int:
    """Take what waits of the sandbox `name`; returns the exit code.

    A person at a terminal is asked about what tools on the host would act on, and takes what the screen shows.

    :param ref: what it is called below the sandbox's refs, '' for every branch
    :param expect: the id of the only tip that may be taken; None: those that wait when this is called
    :param acting: also what enters another repository, or changes files that are shut inside
    :raises SandboxdError: nothing can be taken
    """
    options = TakeOptions(name=name, ref=ref, acting=acting, expect=expect or "")
    took = operate("take", directory, options)
    _show(took)
    left = 0
    for one in took["stays"]:
        if one["tip"] and sys.stdin.isatty() and _agrees(one):
            options = TakeOptions(name=name, ref=one["name"], acting=True, expect=one["tip"])
            took = operate("take", directory, options)
            _show(took)
            left += bool(took["stays"])
        else:
            left += 1
    return EXIT_ENVIRONMENT if left else EXIT_OK


def _agrees(one: dict[str, Any]) -> bool:
    question = terminal.one_line(f"take `{one['ref']}` all the same, at {one['tip']}? [y/N] ")
    return terminal.answers(question, "y", "yes")


def _show(took: dict[str, Any]) -> None:
    takes: list[dict[str, str]] = took["takes"]
    stays: list[dict[str, str]] = took["stays"]
    for one in takes:
        print(terminal.one_line(f"{_short(one['into'])}: {one['how']}, from {one['ref']}"))
        if one["acting"]:
            terminal.status(terminal.one_line(f"tools on the host act on {one['acting']}"))
    for one in stays:
        _say_left(one)
    if took["checked_out"]:
        terminal.status("no file was written: `git status` shows where the work tree differs")
    if not takes and not stays:
        terminal.status("nothing waits to be taken")


def _say_left(one: dict[str, Any]) -> None:
    terminal.status(terminal.one_line(f"`{one['ref']}` stays: {one['why']}"))
    if one["hint"]:
        terminal.status(terminal.one_line(f"hint: {one['hint']}"))


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/")
