"""A document of `sandboxd verify` as Markdown, for an issue or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.markup import in_cell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_WORST_FIRST = ("escaped", "inconclusive", "residual", "held", "not-applicable", "not-judged")


def render(document: Mapping[str, Any]) -> str:
    """The whole page."""
    result = "held" if document["held"] else "did NOT hold or was not shown to hold"
    kernel = "a kernel of its own" if document["kernel"] == "own" else "the host's kernel"
    counts = ", ".join(f"{n} {outcome}" for outcome, n in document["counts"].items() if n)
    lines = [
        f"# `{in_cell(document['container'])}` {result}",
        "",
        f"{counts}. Runtime `{in_cell(document['runtime'])}`, {kernel},"
        f" profile `{in_cell(document['profile']) or 'none'}`{_made_as(document)},"
        f" host kernel {in_cell(document['host_kernel'])}, taken {in_cell(document['taken'])}.",
        *_place(document["cluster"]),
        "",
        "| attempt | outcome | evidence | what should stop it |",
        "|---|---|---|---|",
    ]
    ranked = sorted(document["attempts"], key=lambda a: _WORST_FIRST.index(a["outcome"]))
    for entry in ranked:
        outcome = f"**{entry['outcome']}**" if entry["outcome"] == "escaped" else entry["outcome"]
        lines.append(
            f"| `{in_cell(entry['id'])}`: {in_cell(entry['title'])} | {outcome}"
            f" | {in_cell(entry['evidence'])} | {in_cell(entry['expected'])} |"
        )
    lines += ["", "| control | state | what was seen |", "|---|---|---|"]
    for control in document["controls"]:
        lines.append(
            f"| {in_cell(control['name'])} | {control['state']} | {in_cell(control['why'])} |"
        )
    return "\n".join(lines) + "\n"


def _made_as(document: Mapping[str, Any]) -> str:
    name = document.get("made_as")
    return f" (it was made as `{in_cell(name)}`)" if name else ""


def _place(cluster: Mapping[str, str] | None) -> list[str]:
    """The place on a cluster, as a line; [] for a container of this machine."""
    facts = [
        f"{key.replace('_', ' ')} {in_cell(value)}"
        for key, value in (cluster or {}).items()
        if value
    ]
    return ["", f"Cluster: {', '.join(facts)}."] if facts else []
