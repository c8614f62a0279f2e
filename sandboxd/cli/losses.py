"""The controls of a start that are not in force, so that they leave room for the rest of a screen."""

from __future__ import annotations

from sandboxd.cli import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_IN_FULL, _IN_FULL_BEFORE_OTHERS = 3, 2
"""So many are said in full; of more, so many, and the others by name."""
_ASKED_FOR = ("credentials",)
"""What the user added by name is said in full, however much it is: work inside fails without."""
_IMPORTANT = (
    # What mends several at once, then what reaches the host.
    *("gVisor", "record", "network", "gVisor build", "control files"),
    *("workspace sockets", "AppArmor", "seccomp"),
)


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
    """Those to say in full, and those to name."""
    if len(entries) <= _MOST_IN_FULL:
        return entries, ()
    asked_for = [item for item in entries if item["control"] in _ASKED_FOR]
    ordered = sorted(
        (item for item in entries if item["control"] not in _ASKED_FOR),
        key=lambda item: _rank(item["control"]),
    )
    return [*asked_for, *ordered[:_IN_FULL_BEFORE_OTHERS]], ordered[_IN_FULL_BEFORE_OTHERS:]


def names(entries: Sequence[Mapping[str, str]]) -> str:
    """The controls, each once, with how often where it is several times."""
    counts: dict[str, int] = {}
    for item in entries:
        counts[item["control"]] = counts.get(item["control"], 0) + 1
    return ", ".join(name if n == 1 else f"{name} ({n})" for name, n in counts.items())


def _rank(control: str) -> int:
    return _IMPORTANT.index(control) if control in _IMPORTANT else len(_IMPORTANT)
