"""A document of `sandboxd verify` as one HTML page: no script, nothing from elsewhere.

The verdict first, then what did not simply hold, what held folded up, and last what was attacked where.
Light or dark as the reader has it, a list of cards on a phone; what is folded up is not printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.render.pages._page import page
from sandboxd.render.pages._page import text as _text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_FOLDED = ("held", "not-applicable", "not-judged")
_STYLE = "details{margin:.75rem 0}summary{font-weight:600;cursor:pointer}"
_SECTIONS = (
    (
        "escaped",
        "Escaped",
        "Each of these reached the host, or something that must not be reached.",
    ),
    ("inconclusive", "Not shown", "Could not be tried as it should, so it proves nothing."),
    ("residual", "Open on purpose", "Open, and declared so by the profile. Not held."),
    ("held", "Held", "Tried, and stopped or without effect on the host."),
    (
        "not-judged",
        "Not judged",
        "It would take a look at the machine that it runs on, which nobody took.",
    ),
    ("not-applicable", "Not applicable", "There was nothing to try."),
)

_STATES = (
    ("Not as asked", ("not in force", "not seen")),
    ("Ways out that are open on purpose", ("open",)),
)
"""Headings for controls that are not simply in force, each with the states under it."""


def render(document: Mapping[str, Any]) -> str:
    """The whole page."""
    title = f"{document['container']}: sandboxd verify"
    front, back = [_verdict(document)], [""]
    for outcome, heading, meaning in _SECTIONS:
        attempts = [entry for entry in document["attempts"] if entry["outcome"] == outcome]
        if attempts:
            section = _attempts(outcome, heading, meaning, attempts)
            (back if outcome in _FOLDED else front).append(section)
    controls = document["controls"]
    for heading, states in _STATES:
        chosen = [control for control in controls if control["state"] in states]
        front.append(_controls(heading, "warn", chosen))
    back.append(_controls("Seen inside", "soft", [c for c in controls if _is_in_order(c)]))
    return page(title, "".join([*front, *back, _attacked(document)]), _STYLE)


def _attacked(document: Mapping[str, Any]) -> str:
    kernel = "its own" if document["kernel"] == "own" else "the host's, shared"
    facts = {
        "Container": document["container"],
        "Profile": document["profile"] or "none",
        "Runtime": document["runtime"],
        "Kernel": kernel,
        "Host kernel": document["host_kernel"],
        "Taken": f"{document['taken']}, in {document['seconds']} s",
    }
    facts |= {
        f"Cluster: {key}".replace("_", " "): value
        for key, value in (document["cluster"] or {}).items()
    }
    rows = "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts.items())
    return f"<h2>What was attacked</h2>\n<dl>{rows}</dl>\n"


def _verdict(document: Mapping[str, Any]) -> str:
    colour, words = _words(document)
    return (
        f'<h1 class="verdict {colour}">{words}</h1>\n'
        f'<p class="soft">{_text(document["container"])}, attacked from inside by '
        "<code>sandboxd verify</code></p>\n"
    )


def _words(document: Mapping[str, Any]) -> tuple[str, str]:
    counts = document["counts"]
    total = len(document["attempts"])
    if counts["escaped"]:
        return "bad", f"The sandbox did not hold: {counts['escaped']} of {total} attempts escaped."
    if not document["held"]:
        unclear = counts["inconclusive"]
        verb = "is" if unclear == 1 else "are"
        return "warn", f"Not shown to hold: {unclear} of {total} attempts {verb} unclear."
    others = []
    if number := counts["residual"]:
        others.append(f"{number} {'is' if number == 1 else 'are'} open on purpose")
    if number := counts["not-applicable"]:
        others.append(f"{number} {'does' if number == 1 else 'do'} not apply")
    if number := counts["not-judged"]:
        others.append(f"{number} {'is' if number == 1 else 'are'} not judged")
    rest = f" {', '.join(others)}." if others else ""
    return "good", f"The sandbox held against {counts['held']} of {total} attempts.{rest}"


def _attempts(outcome: str, heading: str, meaning: str, attempts: list[Mapping[str, Any]]) -> str:
    colour = {"escaped": "bad", "held": "good", "not-applicable": "soft", "not-judged": "soft"}.get(
        outcome, "warn"
    )
    rows = "".join(
        f"<tr><td><strong>{_text(entry['title'])}</strong><br><code>{_text(entry['id'])}</code></td>"
        f'<td data-label="evidence">{_text(entry["evidence"])}</td>'
        f'<td data-label="should be stopped by">{_text(entry["expected"])}</td></tr>\n'
        for entry in attempts
    )
    return _section(
        f"{heading} ({len(attempts)})",
        colour,
        f'<p class="soft">{meaning}</p>\n'
        "<table><thead><tr><th>attempt</th><th>evidence</th><th>should be stopped by</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table>\n",
        is_folded=outcome in _FOLDED,
    )


def _section(heading: str, colour: str, body: str, *, is_folded: bool) -> str:
    if is_folded:
        return f'<details><summary class="{colour}">{heading}</summary>\n{body}</details>\n'
    return f'<h2 class="{colour}">{heading}</h2>\n{body}'


def _is_in_order(control: Mapping[str, Any]) -> bool:
    return not any(control["state"] in states for _, states in _STATES)


def _controls(heading: str, colour: str, controls: list[Mapping[str, Any]]) -> str:
    """The table of controls and what was seen of each; '' where there is none."""
    if not controls:
        return ""
    title = f"{heading} ({len(controls)})"
    return _section(title, colour, _table(controls), is_folded=colour == "soft")


def _table(controls: list[Mapping[str, Any]]) -> str:
    colours = {"in force": "good", "not in force": "bad"}
    rows = "".join(
        f"<tr><td><strong>{_text(control['name'])}</strong></td>"
        f'<td class="{colours.get(control["state"], "warn")}">{_text(control["state"])}</td>'
        f"<td>{_text(control['why'])}</td></tr>\n"
        for control in controls
    )
    return (
        "<table><thead><tr><th>control</th><th>state</th><th>what was seen</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table>\n"
    )
