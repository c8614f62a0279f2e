"""`sandboxd up --on` and `sandboxd down --on`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sandboxd.cli import progress, terminal
from sandboxd.cli.on_cluster.options import refuse_there
from sandboxd.errors import EXIT_OK
from sandboxd.operations.on_cluster import start, stop

if TYPE_CHECKING:
    from sandboxd.operations.on_cluster.start import Started
    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.plan.grants import Grants

_MOST_NAMED = 5


def up(where: Target, args: argparse.Namespace, grants: Grants) -> int:
    """Start the project's sandbox on the cluster and say what holds there."""
    refuse_there("up", args)
    options = start.Options(
        args.image, args.runtime_class, args.gateway_image, args.seccomp_profile, args.recreate
    )
    try:
        started = start.start(where, options, grants, progress.OneLine().say)
    finally:
        progress.clear()
    announce(where, started)
    if started.how != "already running":
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
    return EXIT_OK


def announce(where: Target, started: Started) -> None:
    """Say where it runs, what came there, and what does not hold."""
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
    _say(started)


def down(where: Target, args: argparse.Namespace) -> int:
    """End the project's sandbox on the cluster; its work is kept here first."""
    refuse_there("down", args)
    stopped = stop.stop(where, discard=args.discard, say=terminal.status)
    if stopped.problem:
        terminal.status(stopped.problem)
    if stopped.was_there:
        terminal.status(f"removed `{stopped.pod}`")
    else:
        terminal.status(
            f"no sandbox of `{where.workspace}` was up on `{where.cluster.context.name}`"
        )
    return EXIT_OK


def _say(started: Started) -> None:
    if started.problem:
        terminal.status(started.problem)
    if started.sent is not None:
        terminal.entry(
            "copied",
            f"{terminal.count(started.sent.files, 'file')}, {started.sent.size / 1e6:.1f} MB",
        )
        if started.sent.left:
            names = ", ".join(f"`{name}`" for name in started.sent.left[:_MOST_NAMED])
            rest = len(started.sent.left) - _MOST_NAMED
            more = f" and {rest} more" if rest > 0 else ""
            terminal.entry(
                "left here", f"what git ignores: {names}{more}; `sandboxd cp FILE :` brings one"
            )
    for line in started.changed:
        terminal.entry("changed", f"the cluster made something else of it: {line}", terminal.YELLOW)
    for item in started.not_in_force:
        terminal.entry("not in force", f"{item.control}: {item.why}", terminal.YELLOW)
        if item.fix:
            terminal.entry("  hint:", item.fix)


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
    }
    print(json.dumps(document, indent=2))
