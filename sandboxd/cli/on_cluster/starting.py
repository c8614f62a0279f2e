"""`sandboxd up --on`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli import arguments, progress
from sandboxd.errors import EXIT_FINDINGS, EXIT_OK, SandboxdError
from sandboxd.operations.on_cluster import start
from sandboxd.operations.on_cluster.options import ClusterOptions

if TYPE_CHECKING:
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.operations.on_cluster.refresh import Newer, Refreshed
    from sandboxd.operations.on_cluster.started import Started
    from sandboxd.plan.grants import Grants

_MOST_NAMED = 5


def up(where: Target, args: argparse.Namespace, grants: Grants) -> int:
    """Start the project's sandbox on the cluster and say what holds there."""
    options = arguments.chosen(args, ClusterOptions)
    try:
        started = start.start(where, options, grants, progress.OneLine().say)
    finally:
        progress.clear()
    announce(where, started)
    if started.how == "started" and not started.failure:
        option = where.option
        terminal.entry(
            "next",
            f"`sandboxd shell{option}` opens a terminal inside; `sandboxd review{option}` shows what changed there; "
            f"`sandboxd down{option}` keeps it and ends it",
        )
    if args.json:
        _print_json(started)
    else:
        print(terminal.printable(started.pod))
    return EXIT_FINDINGS if say_failure(started) else EXIT_OK


def say_failure(started: Started) -> bool:
    """Name the lifecycle hook that failed; whether one did."""
    if started.failure:
        terminal.error(SandboxdError(started.failure, started.hint))
    return bool(started.failure)


def announce(where: Target, started: Started) -> None:
    """Say where the sandbox runs, what came there, and what does not hold."""
    context = where.cluster.context
    runtime = (
        f"RuntimeClass {started.runtime_class}"
        if started.runtime_class
        else "the node's own runtime"
    )
    terminal.status(
        f"{started.how} on `{context.name}`, namespace {context.namespace}, node {started.node or 'unknown'}: "
        f"profile {started.profile}, {runtime}"
    )
    _say(started, where.option)


def _say(started: Started, option: str) -> None:
    if started.problem:
        terminal.status(started.problem)
    if started.sent is not None:
        terminal.entry(
            "copied",
            f"{terminal.count(started.sent.files, 'file')}, {started.sent.size / 1e6:.1f} MB",
        )
        if started.sent.left:
            names = _names(started.sent.left)
            terminal.entry(
                "left here", f"what git ignores: {names}; `sandboxd cp FILE :` brings one"
            )
        for line in started.sent.hidden:
            terminal.entry("hidden", line)
    if started.refreshed is not None:
        _say_refreshed(started.refreshed, option)
    if started.newer is not None:
        _say_newer(started.newer, option)
    for line in started.changed:
        terminal.entry("changed", f"the cluster made something else of it: {line}", terminal.YELLOW)
    for item in started.not_in_force:
        terminal.entry("not in force", f"{item.control}: {item.why}", terminal.YELLOW)
        if item.fix:
            terminal.entry("  hint:", item.fix)


def _say_newer(newer: Newer, option: str) -> None:
    if newer.changed or newer.gone:
        count = len(newer.changed) + len(newer.gone)
        what = f"{terminal.count(count, 'path')}: {_names((*newer.changed, *newer.gone))}"
    elif newer.has_commit:
        what = "another commit"
    else:
        return
    hint = f"`sandboxd up{option} --refresh` sends what the sandbox did not change itself"
    terminal.entry("newer here", f"{what}; {hint}")


def _say_refreshed(done: Refreshed, option: str) -> None:
    gone = f", {terminal.count(done.removed, 'path')} taken away" if done.removed else ""
    terminal.entry(
        "copied", f"{terminal.count(done.files, 'file')}, {done.size / 1e6:.1f} MB{gone}"
    )
    if done.conflicts:
        terminal.entry(
            "not copied",
            f"the sandbox changed it, too: {_names(done.conflicts)}; `sandboxd review{option}` shows its side",
            terminal.YELLOW,
        )
    if done.branch:
        terminal.entry("git", done.branch, terminal.YELLOW)


def _names(names: tuple[str, ...]) -> str:
    rest = len(names) - _MOST_NAMED
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(f"`{name}`" for name in names[:_MOST_NAMED]) + more


def _print_json(started: Started) -> None:
    import json

    sent = started.sent
    document = {
        "version": 1,
        "how": started.how,
        "pod": started.pod,
        "node": started.node,
        "profile": started.profile,
        "runtime_class": started.runtime_class,
        "not_in_force": [each._asdict() for each in started.not_in_force],
        "changed": list(started.changed),
        "sent": None
        if sent is None
        else {"files": sent.files, "bytes": sent.size, "left": list(sent.left)},
        "newer": None if started.newer is None else started.newer._asdict(),
        "refreshed": None if started.refreshed is None else started.refreshed._asdict(),
        "problem": started.failure,
        "hint": started.hint,
    }
    print(json.dumps(document, indent=2))
