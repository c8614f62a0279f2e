"""What a cluster says of sandboxes, and of the user's rights."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.cli.on_cluster.options import refuse_there
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK
from sandboxd.operations.on_cluster import doctor as examination
from sandboxd.operations.on_cluster import look

if TYPE_CHECKING:
    from sandboxd.operations.on_cluster.look import Seen
    from sandboxd.operations.on_cluster.target import Target

_COLUMNS = ("name", "state", "profile", "node", "runtime_class")


def status(where: Target, args: argparse.Namespace) -> int:
    """Print the state of the project's sandbox, by the word of the API server."""
    refuse_there("status", args)
    seen = look.look(where)
    if args.json:
        context = where.cluster.context
        document = None if seen is None else seen._asdict()
        about = {
            "version": 1,
            "context": context.name,
            "namespace": context.namespace,
            "sandbox": document,
        }
        print(json.dumps(about, indent=2))
    elif seen is None:
        print(f"- no sandbox of this project on `{where.cluster.context.name}`")
        terminal.status(f"`sandboxd up{where.option}` starts it")
    else:
        for line in _lines(seen, where.cluster.context.name):
            print(terminal.one_line(line))
    return EXIT_OK


def list_all(on: str, *, as_json: bool) -> int:
    """Print all sandboxes in the namespace of the context `on`."""
    found, context = examination.sandboxes(on, os.environ)
    if as_json:
        rows = [each._asdict() for each in found]
        print(
            json.dumps(
                {
                    "version": 1,
                    "context": context.name,
                    "namespace": context.namespace,
                    "sandboxes": rows,
                },
                indent=2,
            )
        )
        return EXIT_OK
    if not found:
        terminal.status(f"no sandboxes in the namespace `{context.namespace}` of `{context.name}`")
        return EXIT_OK
    rows = [
        {**each._asdict(), "state": each.state if each.is_ours else f"{each.state} (another's)"}
        for each in found
    ]
    widths = {c: max(len(c), *(len(row[c]) for row in rows)) for c in _COLUMNS}
    for row in ({c: c.upper().replace("_", " ") for c in _COLUMNS}, *rows):
        print(terminal.one_line("  ".join(row[c].ljust(widths[c]) for c in _COLUMNS).rstrip()))
    return EXIT_OK


def doctor(on: str, *, as_json: bool) -> int:
    """Print what the cluster can do, and which rights are missing; EXIT_ENVIRONMENT where one is needed."""
    found = examination.examine(on, os.environ)
    needed = [each for each in found.missing if not each.is_optional]
    if as_json:
        print(json.dumps(examination.document(found), indent=2))
        return EXIT_ENVIRONMENT if needed else EXIT_OK
    print(
        terminal.one_line(
            f"cluster      `{found.context}` at {found.server}, Kubernetes {found.version}"
        )
    )
    print(terminal.one_line(f"namespace    {found.namespace}"))
    classes = ", ".join(f"`{name}` runs `{handler}`" for name, handler in found.classes or ())
    print(terminal.one_line(f"gVisor       {_gvisor(found)}{f' ({classes})' if classes else ''}"))
    print(
        f"piped input  {'yes' if found.ends_input else 'no: `exec` needs Kubernetes 1.30 or later for it'}"
    )
    if not found.missing:
        print("rights       all that sandboxd needs")
        return EXIT_OK
    for right in found.missing:
        kind = "missing, and can be done without" if right.is_optional else "missing"
        print(terminal.one_line(f"rights       {kind}: {right} ({right.what_for})"))
    terminal.status("objects that give all of them, for whoever manages the cluster:")
    print(examination.roles(found), end="")
    return EXIT_ENVIRONMENT if needed else EXIT_OK


def _gvisor(found: examination.Examined) -> str:
    if found.classes is None:
        return "not known: RuntimeClasses cannot be listed"
    return f"by the RuntimeClass `{found.gvisor}`" if found.gvisor else "no RuntimeClass runs it"


def _lines(seen: Seen, context: str) -> list[str]:
    symbol = {"running": "\N{MIDDLE DOT}", "ended": "\N{BALLOT X}"}.get(seen.state, "?")
    why = f": {seen.why}" if seen.why else ""
    closed = (
        "closed by a NetworkPolicy"
        if seen.is_closed
        else "NOT closed: its NetworkPolicy is gone or another"
    )
    lines = [
        f"{symbol} {seen.name} on `{context}`: {seen.state}{why}",
        f"  profile      {seen.profile or 'unknown'}",
        f"  node         {seen.node or 'none'}, "
        + (f"RuntimeClass {seen.runtime_class}" if seen.runtime_class else "its own runtime"),
        f"  image        {seen.image or 'unknown'}",
        f"  network      {closed}; gateway: {seen.gateway}",
    ]
    if not seen.is_ours:
        lines.append("  started      by somebody else, or from another machine")
    return [*lines, *(f"  not in force {line}" for line in seen.not_in_force)]
