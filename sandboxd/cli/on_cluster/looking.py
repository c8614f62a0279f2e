"""Commands that show a cluster's sandboxes, and the user's rights there."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.backends.kubernetes import state
from sandboxd.backends.kubernetes.target import lost_words
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK
from sandboxd.operations.on_cluster import doctor as examination
from sandboxd.operations.on_cluster import following

if TYPE_CHECKING:
    from sandboxd.backends.kubernetes.state import Sandbox
    from sandboxd.backends.kubernetes.target import Target

_NOTABLE_SECONDS = 120
_ENFORCED = {
    "enforced": "closed by a NetworkPolicy",
    "open": "NOT closed: the cluster enforces no NetworkPolicy",
    "not checked": "it has a NetworkPolicy, and nobody saw that the cluster enforces it",
}


def status(where: Target, args: argparse.Namespace) -> int:
    """Print the state of the project's sandbox, by the word of the API server."""
    outcome = following.follow(where)
    sandbox = state.inspect(where)
    if outcome.words:
        terminal.status(outcome.words)
    if args.json:
        context = where.cluster.context
        document = None if sandbox is None else sandbox._asdict()
        about = {
            "version": 1,
            "context": context.name,
            "namespace": context.namespace,
            "sandbox": document,
        }
        print(json.dumps(about, indent=2))
    elif sandbox is None:
        print(f"- no sandbox of this project on `{where.cluster.context.name}`")
        if lost := lost_words(where):
            terminal.status(lost)
        terminal.status(f"`sandboxd up{where.option}` starts it")
    else:
        for line in _lines(sandbox, where.cluster.context.name):
            print(terminal.one_line(line))
    return EXIT_OK


def doctor(on: str, *, as_json: bool) -> int:
    """Print what the cluster can do, and which rights are missing; EXIT_ENVIRONMENT where one is needed."""
    facts = examination.examine(on, os.environ)
    needed = [each for each in facts.missing if not each.is_optional]
    if as_json:
        print(json.dumps(examination.document(facts), indent=2))
        return EXIT_ENVIRONMENT if needed else EXIT_OK
    print(
        terminal.one_line(
            f"cluster      `{facts.context}` at {facts.server}, Kubernetes {facts.version}"
        )
    )
    print(terminal.one_line(f"namespace    {facts.namespace}"))
    classes = ", ".join(f"`{name}` runs `{handler}`" for name, handler in facts.classes or ())
    print(terminal.one_line(f"gVisor       {_gvisor(facts)}{f' ({classes})' if classes else ''}"))
    print(
        f"piped input  {'yes' if facts.ends_input else 'no: `exec` needs Kubernetes 1.30 or later for it'}"
    )
    if words := _clock(facts.seconds_ahead):
        print(f"clock        {words}")
    print(
        f"Sandboxes    {'yes: `up --sandbox` makes one' if facts.sandboxes else 'no agent-sandbox'}"
    )
    if not facts.missing:
        print("rights       all that sandboxd needs")
        return EXIT_OK
    for kind, some in (
        ("missing", needed),
        ("missing, and can be done without", [r for r in facts.missing if r.is_optional]),
    ):
        if some:
            print(terminal.one_line(f"rights       {kind}: {examination.in_one_line(some)}"))
    terminal.status("objects that give all of them, for whoever manages the cluster:")
    print(examination.roles(facts), end="")
    return EXIT_ENVIRONMENT if needed else EXIT_OK


def _gvisor(facts: examination.Examined) -> str:
    if facts.classes is None:
        return "not known: RuntimeClasses cannot be listed"
    return f"by the RuntimeClass `{facts.gvisor}`" if facts.gvisor else "no RuntimeClass runs it"


def _clock(ahead: int | None) -> str:
    """The difference of the cluster's clock from this machine's, '' where that is too little to matter."""
    if ahead is None or abs(ahead) < _NOTABLE_SECONDS:
        return ""
    minutes = round(abs(ahead) / 60)
    amount = f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes} min"
    where = "ahead of" if ahead > 0 else "behind"
    return (
        f"the cluster's is {amount} {where} this machine's: certificates and tokens may be refused, and times that "
        "the cluster writes are by its own"
    )


def _lines(sandbox: Sandbox, context: str) -> list[str]:
    symbol = {"running": "\N{MIDDLE DOT}", "ended": "\N{BALLOT X}"}.get(sandbox.state, "?")
    why = f": {sandbox.why}" if sandbox.why else ""
    closed = _ENFORCED.get(sandbox.enforced, _ENFORCED["not checked"])
    if not sandbox.is_closed:
        closed = "NOT closed: its NetworkPolicy is gone or another"
    lines = [
        f"{symbol} {sandbox.name} on `{context}`: {sandbox.state}{why}",
        f"  profile      {sandbox.profile or 'unknown'}",
        f"  node         {sandbox.node or 'none'}{f' ({sandbox.node_state})' if sandbox.node_state else ''}, "
        + (f"RuntimeClass {sandbox.runtime_class}" if sandbox.runtime_class else "its own runtime"),
        f"  image        {sandbox.image or 'unknown'}",
        f"  network      {closed}; gateway: {': '.join(filter(None, (sandbox.gateway, sandbox.gateway_why)))}",
    ]
    lines.append(f"  tried        {sandbox.evidence}")
    if not sandbox.is_ours:
        lines.append("  started      by somebody else, or from another machine")
    lines += [f"  hooks        {line}" for line in sandbox.hooks]
    return [*lines, *(f"  not in force {line}" for line in sandbox.not_in_force)]
