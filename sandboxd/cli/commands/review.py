"""What the sandbox changed in its private copy of the workspace, and the way to bring it here.

First a line for each file, then the differences. Files that make tools on the host act (git, editors,
CI, AI agents) and symbolic links are marked: `--apply` brings them only when `--include` names them, and
nothing in `.git` ever. Commits come with `--save`, as refs below `refs/sandboxd`: look at them with
`git log` and `git diff`, merge what you want. Nothing is checked out.

Without a running sandbox, what was kept when the last one ended is shown.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, UsageError

if TYPE_CHECKING:
    from sandboxd.review.changes import Changes
    from sandboxd.review.weigh import Item

HELP = "show what the sandbox changed in its copy, and bring it"

_COLOURS = {"+": terminal.GREEN, "-": terminal.RED, "@": terminal.BLUE}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--stat", action="store_true", help="only the line for each file")
    parser.add_argument(
        "--apply", action="store_true", help="write the changes that were shown into the workspace"
    )
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PATH",
        help="with --apply: also this marked file; can be given more than once",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="with --apply: do not ask")
    parser.add_argument(
        "--save", action="store_true", help="keep the changes, and the commits as refs/sandboxd/*"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.operations.review import review
    from sandboxd.review import rescue
    from sandboxd.review import streams as kept_streams
    from sandboxd.status.verification import duration

    if (args.include or args.yes) and not args.apply:
        raise UsageError("`--include` and `--yes` say how to apply", "add `--apply`")
    with review(_sandbox.connect(), _sandbox.folder(args), keep=args.save) as reviewed:
        changes, items = reviewed.changes, reviewed.items
        if reviewed.ended is not None:
            age = duration(reviewed.ended)
            terminal.status(f"of a sandbox that ended {age} ago: `{changes.path}`")
        _known(args.include, items)
        _show(changes, items, args.stat)
        if args.save:
            refs, problem = rescue.bring_commits(changes)
            for ref in refs:
                print(terminal.one_line(ref))
            if problem:
                terminal.status(f"its commits are in the kept file alone: {problem}")
            terminal.status(f"kept: `{changes.path}`")
            for line in kept_streams.prune():
                terminal.status(line)
        if args.apply:
            return _apply(changes, items, args)
    return EXIT_OK


def _known(named: list[str], found: tuple[Item, ...]) -> None:
    unknown = [path for path in named if path not in {item.path for item in found}]
    if unknown:
        raise UsageError(
            f"`{unknown[0]}` is not among the changes", "`sandboxd review --stat` lists them"
        )


def _show(changes: Changes, found: tuple[Item, ...], only_summary: bool) -> None:
    from sandboxd.review import patch

    for item in found:
        codes = [terminal.RED, terminal.BOLD] if item.control or item.blocked else []
        print(terminal.paint(terminal.one_line(patch.summary(item)), *codes))
    if not only_summary:
        for item in found:
            print()
            for line in patch.lines(item):
                code = _COLOURS.get(line[:1])
                print(terminal.paint(terminal.one_line(line), *([code] if code else [])))
    sys.stdout.flush()
    if changes.skipped:
        names = ", ".join(f"`{name}`" for name in changes.skipped[:5])
        more = len(changes.skipped[5:]) + changes.more
        terminal.status(
            f"not looked at, as git ignores it or a tool made it: {names}"
            + (f" and {more} more" if more else "")
        )
    if changes.bundle is not None:
        terminal.status(
            "there are commits, or a work tree for git: `sandboxd review --save` brings them"
        )
    if not found:
        terminal.status("no file differs from the workspace")


def _apply(changes: Changes, found: tuple[Item, ...], args: argparse.Namespace) -> int:
    import shlex

    from sandboxd.review import bring

    chosen = [item for item in found if item.may_be_brought(args.include)]
    left = [item for item in found if item not in chosen]
    if chosen and not args.yes and not _agreed(len(chosen)):
        terminal.status("nothing was written")
        return EXIT_OK
    brought = bring.bring(changes.workspace, chosen)
    terminal.status(f"brought into the workspace: {terminal.count(len(brought.done), 'change')}")
    for path, why in brought.failed:
        terminal.status(f"`{path}` stays as it is: {why}")
    for item in left:
        why = item.blocked or f"{item.control}: name it by `--include {shlex.quote(item.path)}`"
        terminal.status(f"`{item.path}` was not brought: {why}")
    return EXIT_ENVIRONMENT if brought.failed else EXIT_OK


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to agree", "look at the changes, then add `--yes`")
    question = f"write {terminal.count(count, 'change')} into the workspace? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
