"""A document of `sandboxd verify` as one HTML page: no script, nothing from elsewhere.

Light or dark as the reader has it, a list of cards on a phone, and fit to print.
"""

from __future__ import annotations

from html import escape

from sandboxd._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SECTIONS = (
    (
        "escaped",
        "Escaped",
        "Each of these reached the host, or something that must not be reached.",
    ),
    ("inconclusive", "Not shown", "Could not be tried as it should, so it proves nothing."),
    ("residual", "Open on purpose", "Open, and declared so by the profile. Not held."),
    ("held", "Held", "Tried, and stopped or without effect on the host."),
    ("not-applicable", "Not applicable", "There was nothing to try."),
)

_STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1c2024;--soft:#5b6570;--line:#d9dee3;--card:#f6f8fa;
--good:#0b6b3a;--bad:#b3261e;--warn:#8a5300}
@media(prefers-color-scheme:dark){:root{--back:#14171a;--text:#e6e9ec;--soft:#9aa5b1;--line:#343b43;
--card:#1d2126;--good:#5fd39a;--bad:#ff8a80;--warn:#ffc46b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1.25rem;background:var(--back);color:var(--text);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .25rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .25rem}
p{margin:.25rem 0}.soft{color:var(--soft)}
.verdict{border:2px solid;border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0;font-weight:600}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:1rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin-top:.5rem;font-size:.9rem;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500}
code{font:.9em ui-monospace,monospace}
@media(max-width:40rem){body{padding:.75rem}thead{display:none}
table,tbody,tr,td{display:block;width:100%}
tr{background:var(--card);border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.3rem 0}
td{border:0;padding:.15rem .7rem}td[data-label]::before{content:attr(data-label) ": ";color:var(--soft)}}
@media print{:root{--back:#fff;--text:#000;--soft:#444;--line:#bbb;--good:#000;--bad:#000;--warn:#000}
body{max-width:none;padding:0;font-size:10pt}tr{break-inside:avoid}h2{break-after:avoid}}
"""


def render(document: Mapping[str, Any]) -> str:
    """The whole page."""
    title = f"{document['container']}: sandboxd verify"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">\n",
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
        _head(document),
    ]
    for outcome, heading, meaning in _SECTIONS:
        found = [entry for entry in document["attempts"] if entry["outcome"] == outcome]
        if found:
            parts.append(_attempts(outcome, heading, meaning, found))
    if document["controls"]:
        parts.append(_controls(document["controls"]))
    return "".join([*parts, "</body>\n</html>\n"])


def _head(document: Mapping[str, Any]) -> str:
    kernel = "its own" if document["kernel"] == "own" else "the host's, shared"
    facts = {
        "Profile": document["profile"] or "none",
        "Runtime": document["runtime"],
        "Kernel": kernel,
        "Host kernel": document["host_kernel"],
        "Taken": f"{document['taken']}, in {document['seconds']} s",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts.items())
    colour, words = _verdict(document)
    return (
        f"<h1>{_text(document['container'])}</h1>\n"
        f'<p class="soft">attacked from inside by <code>sandboxd verify</code></p>\n'
        f'<p class="verdict {colour}">{words}</p>\n<dl>{rows}</dl>\n'
    )


def _verdict(document: Mapping[str, Any]) -> tuple[str, str]:
    counts = document["counts"]
    total = len(document["attempts"])
    if counts["escaped"]:
        return "bad", f"The sandbox did not hold: {counts['escaped']} of {total} attempts escaped."
    if not document["held"]:
        return (
            "warn",
            f"Not shown to hold: {counts['inconclusive']} of {total} attempts are unclear.",
        )
    open_ones = f" {counts['residual']} are open on purpose." if counts["residual"] else ""
    return "good", f"The sandbox held against {counts['held']} of {total} attempts.{open_ones}"


def _attempts(outcome: str, heading: str, meaning: str, found: list[Mapping[str, Any]]) -> str:
    colour = {"escaped": "bad", "held": "good"}.get(outcome, "warn")
    rows = "".join(
        f"<tr><td><strong>{_text(entry['title'])}</strong><br><code>{_text(entry['id'])}</code></td>"
        f'<td data-label="evidence">{_text(entry["evidence"])}</td>'
        f'<td data-label="should be stopped by">{_text(entry["expected"])}</td></tr>\n'
        for entry in found
    )
    return (
        f'<h2 class="{colour}">{heading} ({len(found)})</h2>\n<p class="soft">{meaning}</p>\n'
        "<table><thead><tr><th>attempt</th><th>evidence</th><th>should be stopped by</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table>\n"
    )


def _controls(controls: list[Mapping[str, Any]]) -> str:
    colours = {"in force": "good", "not in force": "bad"}
    rows = "".join(
        f"<tr><td><strong>{_text(control['name'])}</strong></td>"
        f'<td class="{colours.get(control["state"], "warn")}">{_text(control["state"])}</td>'
        f"<td>{_text(control['why'])}</td></tr>\n"
        for control in controls
    )
    return (
        "<h2>Seen inside</h2>\n"
        "<table><thead><tr><th>control</th><th>state</th><th>what was seen</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table>\n"
    )


def _text(value: object) -> str:
    """Text from inside a sandbox is hostile."""
    return escape("".join(c if c.isprintable() else " " for c in str(value)))
