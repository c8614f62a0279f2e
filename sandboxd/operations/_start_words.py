"""The messages at the end of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.life.hooks import Failure
    from sandboxd.life.service_start import Sick
    from sandboxd.model.remote import Port


def address(port: Port) -> str:
    """The URL at which a forwarded port can be reached, if its number is free on this machine."""
    return f"{port.scheme}://127.0.0.1:{port.here or port.number}"


def of_services(sick: Sequence[Sick]) -> tuple[str, str]:
    """A message about the services that do not run as they should, and the next step; '' each if there is none."""
    message = "; ".join(f"the service `{each.service}` {each.why}" for each in sick)
    return message, next((each.hint for each in sick if each.hint), "")


def of_hook(failure: Failure, option: str = "", *, names_why: bool = False) -> tuple[str, str]:
    """A message about a failed hook, and the next step.

    :param option: the options that select its sandbox, to put behind a command; '' for none
    :param names_why: whether `sandboxd why` can be asked about it
    """
    message = f"`{failure.stage}` of {failure.source} ended with exit code {failure.code}"
    if failure.refused:
        message += f"; the network refused {', '.join(f'`{name}`' for name in failure.refused)}"
    if failure.left:
        message += f"; not run: {', '.join(f'`{stage}`' for stage in failure.left)}"
    if failure.refused:
        return (
            message,
            f"`sandboxd egress allow {failure.refused[0]}{option}` lets it through, "
            f"`sandboxd egress log{option}` has all; then `sandboxd up{option}` runs the hook again",
        )
    why = f"`sandboxd why{option}` says whether it was blocked; " if names_why else ""
    return (
        message,
        f"the sandbox runs: look around with `sandboxd shell{option}`; {why}"
        f"`sandboxd up{option}` runs the hook again",
    )
