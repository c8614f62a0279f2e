"""A document of `sandboxd verify` as Markdown, for an issue or a pull request."""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_WORST_FIRST = ("escaped", "inconclusive", "residual", "held", "not-applicable")


def render(document: Mapping[str, Any]) -> str:
    """The whole page."""
    result = "held" if document["held"] else "did NOT hold or was not shown to hold"
    kernel = "a kernel of its own" if document["kernel"] == "own" else "the host's kernel"
    counts = ", ".join(f"{n} {outcome}" for outcome, n in document["counts"].items() if n)
    lines = [
        f"# `{_cell(document['container'])}` {result}",
        "",
        f"{counts}. Runtime `{_cell(document['runtime'])}`, {kernel},"
        f" profile `{_cell(document['profile']) or 'none'}`,"
        f" host kernel {_cell(document['host_kernel'])}, taken {_cell(document['taken'])}.",
        "",
        "| attempt | outcome | evidence | what should stop it |",
        "|---|---|---|---|",
    ]
    ranked = sorted(document["attempts"], key=lambda a: _WORST_FIRST.index(a["outcome"]))
    for entry in ranked:
        outcome = f"**{entry['outcome']}**" if entry["outcome"] == "escaped" else entry["outcome"]
        lines.append(
            f"| `{_cell(entry['id'])}`: {_cell(entry['title'])} | {outcome}"
            f" | {_cell(entry['evidence'])} | {_cell(entry['expected'])} |"
        )
    lines += ["", "| control | state | what was seen |", "|---|---|---|"]
    for control in document["controls"]:
        lines.append(f"| {_cell(control['name'])} | {control['state']} | {_cell(control['why'])} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text from inside a sandbox is hostile: no markup, no new line, no end of the cell."""
    plain = "".join(c if c.isprintable() else " " for c in str(text))
    for mark in "\\|<>`[]*_":
        plain = plain.replace(mark, f"&#{ord(mark)};")
    return plain
