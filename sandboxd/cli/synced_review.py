"""`review` of a copy that is kept the same: what differs from the host's folder, and the answers that it waits for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli import kept_files
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, SandboxdError, UsageError
from sandboxd.operations.options import SettleOptions
from sandboxd.sync import is_used
from sandboxd.sync.place import place_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import Any


def settle(directory: str, name: str) -> None:
    """Have both sides of a sandbox's copy compared, so that neither lacks what the other wrote."""
    if not os.path.lexists(place_of(os.environ, kept_files.sandbox_of(directory, name)).record):
        return
    try:
        problem = operate("synced", directory, SettleOptions(name=name))["problem"]
    except SandboxdError as error:
        terminal.status(f"not kept the same: {error.message}")
        return
    if problem:
        terminal.status(f"not kept the same: {problem}; `sandboxd review` shows it")


def run(args: argparse.Namespace, folder: str, name: str, option: str) -> int | None:
    """Show what differs, after the user's answer if there is one; the exit code, None if there is no such copy.

    :param option: the options by which the proposed commands mean the same sandbox
    :raises UsageError: an option that means nothing here, or no question waits
    """
    # Without a path, True: what waits for an answer.
    path = args.restore if isinstance(args.restore, str) else ""
    if args.kept or path:
        return kept_files.run(folder, name, path, option)
    answers = args.restore is not None
    settled = None
    if is_used(os.environ):
        settled = operate("synced", folder, SettleOptions(name=name))
    if settled is None or settled["state"] is None:
        if answers:
            raise UsageError(
                "`--restore` without a path is about a copy that is kept the same, and no sandbox with one runs",
                f"`sandboxd review{option} --kept` lists the files that can be had back by their path",
            )
        return None
    _refuse_others(args)
    if removals := _removals(args):
        settled = operate("synced", folder, SettleOptions(name=name, removals=removals))
    elif answers:
        settled = operate("synced", folder, SettleOptions(name=name, restores=True))
    if settled["age"]:
        terminal.status(settled["age"])
    _show(settled["state"], option)
    return EXIT_ENVIRONMENT if settled["state"]["problem"] else EXIT_OK


def _refuse_others(args: argparse.Namespace) -> None:
    if any((args.include, args.only, args.save, args.json, args.expect is not None, args.diff)):
        raise UsageError(
            "this copy is kept the same by itself: nothing of it is brought by name",
            "look at a file inside (`sandboxd exec -n -- cat FILE`), and write it here yourself: it goes in",
        )


def _removals(args: argparse.Namespace) -> int:
    if args.deletions is None and not args.apply:
        return 0
    if not args.apply or not args.deletions:
        raise UsageError(
            "removals are answered by their number", "give it: `--apply --deletions NUMBER`"
        )
    return int(args.deletions)


def _show(state: Mapping[str, Any], option: str) -> None:
    problem, removals = state["problem"], state["removals"]["total"]
    if removals:
        command = f"sandboxd review{option}"
        terminal.status(f"{problem}; nothing is kept the same until you answer:")
        terminal.status(f"`{command} --apply --deletions {removals}` removes {removals} entries")
        terminal.status(f"`{command} --restore` restores them where they are missing")
        _list(state["removals"], "removed")
    elif problem:
        terminal.status(f"not kept the same: {problem}")
    _list(state["stays"], "stays inside")
    _list(state["conflicts"], "both sides changed the file; this is the sandbox's")
    _list(state["only_inside"], "git ignores it; it is inside alone, or on both sides apart")
    if not (problem or state["stays"]["total"] or state["conflicts"]["total"]):
        terminal.verdict("both sides are the same")


def _list(named: Mapping[str, Any], what: str) -> None:
    for path, why in named["paths"]:
        print(terminal.one_line(f"{path}  {why or what}"))
    if (more := named["total"] - len(named["paths"])) > 0:
        print(f"... and {more} more")
