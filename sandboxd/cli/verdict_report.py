"""Reports of `verify`: written in the format that the file name's ending says, and compared."""

from __future__ import annotations

import datetime
import json
import os
from typing import TYPE_CHECKING, Any

from sandboxd import terminal
from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK

if TYPE_CHECKING:
    from sandboxd.operations.verify import Verified
    from sandboxd.verify.document import Change


ENDINGS = (".html", ".json", ".md")
"""Endings of the report's file formats."""


_ATTACKED = {
    "plan": "attacked: a new container of the plan, in which nothing of project or image ran",
    "pod": "attacked: the Pod in use, from inside: what is said for the worse is so, and that something held is "
    "the word of a process in it",
    "sandbox": "attacked: a replica with the settings of the sandbox, in which nothing of project or image "
    "ran",
}
"""The last line of a verdict, by what it is about."""
_PINS_IN_USE = "; the pins were looked at and tried in the one in use, of which `sandboxd status` shows the rest"


def document(verified: Verified) -> dict[str, Any]:
    """The verdict with the controls that were seen."""
    from sandboxd.verify import document as verdict_document

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    place = verified.verdict.place
    kernel = os.uname().release if place is None else place.node_kernel
    return verdict_document.document(
        verified.verdict, verified.controls, now, verified.seconds, kernel
    )


def conclude(verified: Verified) -> None:
    """Print the verdict and the notes on it, where nothing is shown between them."""
    say_verdict(verified)
    say_what_was_attacked(verified)


def say_verdict(verified: Verified) -> None:
    """Print whether it held, what escaped, what could not be shown, and the counts."""
    from sandboxd.verify.judge import OUTCOMES
    from sandboxd.verify.pins_in_use import ATTEMPT

    verdict = verified.verdict
    escaped = [result.id for result in verdict.of("escaped")]
    unclear = verdict.of("inconclusive")
    for result in verdict.of("escaped"):
        if result.id == ATTEMPT:
            terminal.verdict(f"✗ {result.evidence}", terminal.RED)
    if escaped:
        text = f"THE SANDBOX DID NOT HOLD: {', '.join(escaped)}"
        terminal.verdict(f"✗ {text}", terminal.RED)
    if unclear:
        reasons = "; ".join(dict.fromkeys(result.evidence for result in unclear))
        number = terminal.count(len(unclear), "attempt")
        terminal.verdict(f"? NOT SHOWN for {number}: {reasons}", terminal.YELLOW)
    if verdict.held:
        unseen = len(verdict.of("not-judged"))
        text = "the sandbox held against every attempt that applies"
        text += f" and can be judged there; {unseen} are not judged" if unseen else ""
        terminal.verdict(f"✓ {text}", terminal.GREEN)
    counts = ", ".join(f"{len(verdict.of(o))} {o}" for o in OUTCOMES if verdict.of(o))
    terminal.status(f"{len(verdict.results)} attempts in {verified.seconds:.1f} s: {counts}")


def say_what_was_attacked(verified: Verified, option: str = "") -> None:
    """Print what the verdict is about, and the next step where it did not hold.

    :param option: what a command needs behind it to mean that sandbox
    """
    from sandboxd.verify.pins_in_use import ATTEMPT

    verdict = verified.verdict
    text = _ATTACKED[verdict.attacked]
    tried = [each.id for each in verdict.results if each.outcome != "not-applicable"]
    if verdict.attacked == "sandbox" and ATTEMPT in tried:
        text += _PINS_IN_USE
    terminal.verdict(text)
    escaped = {result.id for result in verdict.of("escaped")}
    if verdict.made_as:
        terminal.verdict(f"hint: `sandboxd up{option}` makes it as profile {verdict.profile}")
    if not escaped:
        return
    from sandboxd.verify.attempts import every

    remedies = {each.id: each.remedy for each in every() if each.remedy and each.id in escaped}
    for name, remedy in remedies.items():
        terminal.verdict(f"hint: {name}: {remedy}")
    if escaped != set(remedies) and verdict.place is not None:
        terminal.verdict(
            f"hint: `sandboxd status{option}` names what is not in force there, `sandboxd drift{option}` what was changed"
        )
    elif verdict.profile and not verdict.made_as and escaped != set(remedies):
        terminal.verdict(
            "hint: `sandboxd explain-plan` says what is not in force here, and how to mend it"
        )


def write(path: str, verdict: dict[str, Any]) -> None:
    """Write the report.

    :raises EnvironmentFailure: it cannot be written
    """
    from sandboxd.files import write_atomic

    ending = os.path.splitext(path)[1]
    if ending == ".html":
        from sandboxd.render.pages import verdict_html

        text = verdict_html.render(verdict)
    elif ending == ".md":
        from sandboxd.render.pages import verdict_markdown

        text = verdict_markdown.render(verdict)
    else:
        text = json.dumps(verdict, indent=2) + "\n"
    write_atomic(path, text.encode())
    terminal.status(f"report: {path}")


def compare(before: str, after: str, *, as_json: bool) -> int:
    """Print the differences of two reports; returns 6 if something became worse."""
    from sandboxd.verify import document as verdict_document

    changes = verdict_document.changes(verdict_document.load(before), verdict_document.load(after))
    if as_json:
        print(json.dumps({"version": 1, "changes": [c._asdict() for c in changes]}, indent=2))
    else:
        _print(changes)
    return EXIT_NOT_HELD if any(change.worse for change in changes) else EXIT_OK


def _print(changes: tuple[Change, ...]) -> None:
    if not changes:
        print("no attempt ends differently")
        return
    width = max(len(change.id) for change in changes)
    for change in changes:
        colour = terminal.RED if change.worse else terminal.GREEN
        good = change.before == "escaped" and change.after != "inconclusive"
        after = change.after or "(not made)"
        outcome = (
            terminal.paint(terminal.printable(after), colour) if change.worse or good else after
        )
        before = terminal.one_line(change.before or "(not made)")
        name = terminal.one_line(change.id)
        print(
            f"{name:<{width}}  {before:<14}  ->  {terminal.printable(outcome) if outcome == after else outcome}"
        )
    worse = sum(change.worse for change in changes)
    better = sum(change.before == "escaped" for change in changes)
    number = terminal.count(len(changes), "attempt")
    verb = "ends" if len(changes) == 1 else "end"
    terminal.status(f"{number} {verb} differently: escapes: {better} less, {worse} more")
