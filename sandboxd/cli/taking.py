"""`review --take`: what was taken of the commits that wait on the host, and the next step for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK

if TYPE_CHECKING:
    from typing import Any


def take(directory: str, name: str, ref: str, *, acting: bool) -> int:
    """Take what waits of the sandbox `name`; returns the exit code.

    :param ref: what it is called below the sandbox's refs, '' for every branch
    :param acting: also what enters another repository, or changes files that are shut inside
    :raises SandboxdError: nothing can be taken
    """
    took = operate("take", directory, {"name": name, "ref": ref, "acting": acting})
    takes: list[dict[str, str]] = took["takes"]
    stays: list[dict[str, str]] = took["stays"]
    for one in takes:
        print(terminal.one_line(f"{_short(one['into'])}: {one['how']}, from {one['ref']}"))
        if one["acting"]:
            terminal.status(terminal.one_line(f"tools on the host act on {one['acting']}"))
    for one in stays:
        _say_left(one)
    if took["checked_out"]:
        terminal.status("no file was written: `git status` shows where the work tree differs")
    if not takes and not stays:
        terminal.status("nothing waits to be taken")
    return EXIT_ENVIRONMENT if stays else EXIT_OK


def _say_left(one: dict[str, Any]) -> None:
    terminal.status(terminal.one_line(f"`{one['ref']}` stays: {one['why']}"))
    if one["hint"]:
        terminal.status(terminal.one_line(f"hint: {one['hint']}"))


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/")
