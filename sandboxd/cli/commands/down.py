"""Stop and remove the project's sandbox. The workspace stays; nothing running is fine.

What was changed in a private copy is kept: `sandboxd review` shows it, and `sandboxd up` takes the copy up again.
When that fails, the sandbox goes on running, unless `--discard` throws the copy and its changes away.
"""

from __future__ import annotations

import os
import sys

from sandboxd import terminal
from sandboxd.cli import arguments, where
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_USAGE
from sandboxd.operations.options import StopOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.operations.stop import StoppedDocument

HELP = "stop and remove the project's sandbox"

NEEDS = {"all": "end all"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="end all sandboxes of all projects on this engine; asks on a terminal",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="with --all: do not ask")
    arguments.add(parser, StopOptions)


def run(args: argparse.Namespace) -> int:
    if args.all:
        code = _end_all(args.discard, is_agreed=args.yes)
        if not args.here:
            # Last: nothing of a project is to come before the end of all.
            where.say_here(
                "down --all", os.path.abspath(args.project), ": `sandboxd down` ends that one"
            )
        return code
    options = arguments.chosen(args, StopOptions, name=_sandbox.name(args))
    # Its folder may be gone: the operation says whether it had a sandbox.
    stopped: StoppedDocument = operate("stop", os.path.abspath(args.project), options, on=args.on)
    _say(stopped)
    if not stopped["removed"]:
        there = f" on `{args.on}`" if args.on else ""
        terminal.status(f"no sandbox of `{stopped['directory']}` was up{there}")
    _require_recorded(stopped)
    return 0


def _end_all(discard: bool, *, is_agreed: bool) -> int:
    """End every sandbox that `up` made on this engine; the exit code of the last that could not be."""
    from sandboxd.errors import SandboxdError
    from sandboxd.life.find import all_sandboxes
    from sandboxd.model.labels import MADE_BY, PROJECT, UP
    from sandboxd.model.sandbox_id import name_of, workspace_of

    containers = [c for c in all_sandboxes(_sandbox.connect()) if c.labels.get(MADE_BY) == UP]
    if containers and not is_agreed and not _agrees([c.name for c in containers], discard):
        terminal.status("nothing was ended")
        return EXIT_USAGE
    code = 0
    for container in containers:
        sandbox = container.labels[PROJECT]
        options = StopOptions(name=name_of(sandbox), discard=discard)
        try:
            stopped: StoppedDocument = operate("stop", workspace_of(sandbox), options)
            _say(stopped)
            _require_recorded(stopped)
        except SandboxdError as error:
            terminal.error(error)
            code = error.exit_code
    if not containers:
        terminal.status("no sandbox was up")
    return code


def _agrees(names: list[str], discard: bool) -> bool:
    """Whether a person agrees to the end of all these; a script is not asked: their work is kept, or named."""
    if not sys.stdin.isatty():
        return True
    for name in names:
        terminal.status(f"  {name}")
    what = "throw their work away" if discard else "their work is kept"
    which = "this sandbox" if len(names) == 1 else f"these {len(names)} sandboxes"
    return terminal.answers(f"end {which}; {what}? [y/N] ", "y", "yes")


def _say(stopped: StoppedDocument) -> None:
    for name in stopped["removed"]:
        terminal.status(f"removed `{name}`")
    for name in stopped["of_editors"]:
        terminal.status(f"`{name}` was started by an editor and stays: end it there")


def _require_recorded(stopped: StoppedDocument) -> None:
    """Refuse to call a stop done that the audit record does not have.

    :raises EnvironmentFailure: the entry for this stop could not be written
    """
    if stopped["problem"]:
        from sandboxd.audit import notes

        raise notes.unrecorded(stopped["problem"])
