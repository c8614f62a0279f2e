"""Prints the controls of a start that are not in force, short enough to leave room for the rest."""

from __future__ import annotations

from sandboxd import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_IN_FULL, _IN_FULL_BEFORE_OTHERS = 3, 2
"""So many of the machine's are said in full; of more, so many, and the others by name."""
_OF_THE_MACHINE = (
    # First the losses of which one step mends several, then those that reach the host.
    *(
        "gVisor",
        "network",
        "gVisor build",
        "control files",
        "workspace sockets",
        "AppArmor",
        "seccomp",
    ),
    *(
        "git on the host",
        "seccomp in gVisor",
        "system calls",
        "capabilities",
        "limits",
        "cpu limit",
    ),
    *("process limit", "time limit", "files in memory", "writable root file system", "user"),
    "tripwire",
)
"""The most important first: they are the same for all projects here. What is of one project, as a service that
does not start or a build, is always said in full."""


def say(entries: Sequence[Mapping[str, str]], everything: bool) -> None:
    """Print to stderr what is not in force, the most important first.

    :param entries: the fields of `plan.plan.Downgrade`
    :param everything: each in full, in the order of the plan
    """
    first, rest = (entries, ()) if everything else group(entries)
    for item in first:
        terminal.entry("not in force", f"{item['control']}: {item['why']}", terminal.YELLOW)
        if item["fix"]:
            terminal.entry("  hint:", item["fix"])
    if rest:
        terminal.entry("not in force", f"{len(rest)} more: {names(rest)}", terminal.YELLOW)
        terminal.entry("  hint:", "`sandboxd up --all` says each, and what mends it")


def group(
    entries: Sequence[Mapping[str, str]],
) -> tuple[Sequence[Mapping[str, str]], Sequence[Mapping[str, str]]]:
    """The losses to say in full, and those to name."""
    of_project = [item for item in entries if item["control"] not in _OF_THE_MACHINE]
    if len(entries) - len(of_project) <= _MOST_IN_FULL:
        return entries, ()
    ordered = sorted(
        (item for item in entries if item["control"] in _OF_THE_MACHINE),
        key=lambda item: _OF_THE_MACHINE.index(item["control"]),
    )
    return [*of_project, *ordered[:_IN_FULL_BEFORE_OTHERS]], ordered[_IN_FULL_BEFORE_OTHERS:]


def names(entries: Sequence[Mapping[str, str]]) -> str:
    """The controls, each once, with how often where it is several times."""
    counts: dict[str, int] = {}
    for item in entries:
        counts[item["control"]] = counts.get(item["control"], 0) + 1
    return ", ".join(name if n == 1 else f"{name} ({n})" for name, n in counts.items())
