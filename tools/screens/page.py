"""docs/screens.md: what `sandboxd status` shows in each state, in one page to read."""

from __future__ import annotations

from sandboxd.status import text
from tools.screens.states import STATES, State

WIDTHS = (60, 80, 140)

_HEAD = """# Screens

`sandboxd status` answers one question in its first line, and the rest in at most twelve. Below is
each state that a project can be in, as a terminal of 80 columns shows it. `--long` has what was seen
of each control, `--all` a line for every project, `--short` the symbol and the word for a prompt:

    PS1='$(sandboxd status --short) \\w\\$ '

| symbol | says |
|---|---|
| `✓` | it runs, and held against `sandboxd verify` |
| `·` | it runs; nobody attacked it yet |
| `!` | something is not as asked, or needs you |
| `✗` | it is broken, or something got out |
| `?` | it could not be seen, which is never read as "no" |
| `-` | it does not run |
| `~` | its files changed just now |

One word for each state of a control, here and in editors and reports: **in force** (it was seen),
**not in force** (it was asked for and is not there), **not seen**, **left out** (nothing asks for it,
or nothing there needs it), **open** (a way out that is open on purpose).

The states are recordings of real runs; those that a machine cannot be brought into at will are made
of one, and say so.
"""


def page() -> str:
    """All states, one below the other."""
    return "\n".join([_HEAD, *(_section(state) for state in STATES)])


def screen(state: State, columns: int) -> str:
    """The screen of `state` on a terminal of that many columns."""
    return text.render(state.make(), colour=False, columns=columns)


def _section(state: State) -> str:
    short = text.render(state.make(), "short", colour=False, columns=80).strip()
    prompt = f" In a prompt: `{short}`." if short else ""
    played = " Made of a recording." if state.is_played else ""
    return f"## {state.title}\n\n{state.about}{prompt}{played}\n\n```\n{screen(state, 80)}```\n"
