"""Reports of `verify`: written by the ending of their name, and compared."""

from __future__ import annotations

import datetime
import json
import os
from typing import TYPE_CHECKING, Any

from sandboxd.cli import terminal
from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.verify.document import Change
    from sandboxd.verify.verdict import Verdict


ENDINGS = (".html", ".json", ".md")
"""Of the forms of a report."""


def document(
    engine: Engine, container: str | None, verdict: Verdict, seconds: float
) -> dict[str, Any]:
    """The verdict with what is seen of the controls.

    :param container: None: it is gone, and only what the attempts showed is known
    """
    from sandboxd.observe import controls, inspection, look_inside, outside
    from sandboxd.verify import document as verdict_document
    from sandboxd.verify import seccomp_classes

    seen: tuple[controls.Control, ...] = ()
    if container is not None:
        inspected = engine.inspect(container)
        seen = controls.controls(
            inspection.container(inspected),
            look_inside.look(engine, inspected["Id"]),
            look_inside.boot_id(),
            outside.look(engine, inspected),
        )
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    seen += seccomp_classes.classes(verdict)
    return verdict_document.document(verdict, seen, now, seconds, os.uname().release)


def write(path: str, found: dict[str, Any]) -> None:
    """Write the report.

    :raises EnvironmentFailure: it cannot be written
    """
    from sandboxd.files import write_atomic

    ending = os.path.splitext(path)[1]
    if ending == ".html":
        from sandboxd.render.pages import verdict_html

        text = verdict_html.render(found)
    elif ending == ".md":
        from sandboxd.render.pages import verdict_markdown

        text = verdict_markdown.render(found)
    else:
        text = json.dumps(found, indent=2) + "\n"
    write_atomic(path, text.encode())
    terminal.status(f"report: {path}")


def compare(before: str, after: str, *, as_json: bool) -> int:
    """Print what differs between two reports; the exit code says whether something became worse."""
    from sandboxd.verify import document as verdict_document

    found = verdict_document.changes(verdict_document.load(before), verdict_document.load(after))
    if as_json:
        print(json.dumps({"version": 1, "changes": [c._asdict() for c in found]}, indent=2))
    else:
        _print(found)
    return EXIT_NOT_HELD if any(change.worse for change in found) else EXIT_OK


def _print(found: tuple[Change, ...]) -> None:
    if not found:
        print("no attempt ends differently")
        return
    width = max(len(change.id) for change in found)
    for change in found:
        colour = terminal.RED if change.worse else terminal.GREEN
        good = change.before == "escaped" and change.after != "inconclusive"
        after = change.after or "(not made)"
        shown = terminal.paint(terminal.printable(after), colour) if change.worse or good else after
        before = terminal.one_line(change.before or "(not made)")
        name = terminal.one_line(change.id)
        print(
            f"{name:<{width}}  {before:<14}  ->  {terminal.printable(shown) if shown == after else shown}"
        )
    worse = sum(change.worse for change in found)
    better = sum(change.before == "escaped" for change in found)
    number = terminal.count(len(found), "attempt")
    verb = "ends" if len(found) == 1 else "end"
    terminal.status(f"{number} {verb} differently: escapes: {better} less, {worse} more")
