"""Exchanges commits with a running sandbox that has a git directory of its own; used where no daemon does it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.model.engine_answers import Inspected


def is_used(environ: Mapping[str, str]) -> bool:
    """Whether any sandbox of the user has ever had a git directory of its own."""
    from sandboxd.folders import state_folder

    return os.path.isdir(os.path.join(state_folder(environ), "git"))


def has_own_git(environ: Mapping[str, str], sandbox: str) -> bool:
    """Whether a sandbox has ever had a git directory of its own; fast if none of the user's has.

    :param sandbox: the sandbox's identity
    """
    from sandboxd.exchange.place import place_of

    return os.path.isdir(place_of(environ, sandbox).inside)


LOCK_SECONDS = 10.0
"""Seconds that a command waits for an exchange in another process."""
TRANSFER_SECONDS = 60.0
"""Seconds that a command waits for git inside. Commits that do not arrive in time are not lost, even after `down`."""


def exchange(
    engine: Engine,
    environ: Mapping[str, str],
    inspected: Inspected,
    tell: Callable[[str], None],
    *,
    says_transfer: bool = False,
) -> None:
    """Exchange commits once with a running container, and report those that could not pass; a no-op without a git
    directory.

    Errors are reported, not raised: the commits stay where they are, and the next exchange takes them. It ends within
    `LOCK_SECONDS` and a little more than `TRANSFER_SECONDS`.

    :param tell: called with each line for the user
    :param says_transfer: also report that a transfer begins, which may take that long
    """
    from sandboxd.exchange import of_container, words

    try:
        own = of_container.own_git_of(environ, inspected)
        if own is None:
            return
        haste = of_container.Haste(
            LOCK_SECONDS,
            TRANSFER_SECONDS,
            lambda: tell(f"waiting up to {LOCK_SECONDS:g} s for commits that pass just now"),
            (lambda: tell(f"bringing commits first, for {TRANSFER_SECONDS:g} s at most"))
            if says_transfer
            else None,
        )
        outcome = of_container.exchange_with(engine, environ, inspected["Id"], own, haste)
    except SandboxdError as error:
        tell(f"commits do not pass: {error.message}")
        return
    for text, hint in words.lines(outcome):
        tell(text)
        if hint:
            tell(f"  hint: {hint}")


def exchange_with(
    engine: Engine,
    environ: Mapping[str, str],
    container: Summary,
    tell: Callable[[str], None],
    *,
    says_transfer: bool = False,
) -> None:
    """Call `exchange` for a container from the engine's list, if it runs."""
    from sandboxd.model.labels import PROJECT

    sandbox = container.labels.get(PROJECT, "")
    if not has_own_git(environ, sandbox) or container.state != "running":
        return
    try:
        inspected = engine.inspect(container.id)
    except SandboxdError as error:
        tell(f"commits do not pass: {error.message}")
        return
    exchange(engine, environ, inspected, tell, says_transfer=says_transfer)


def exchange_after(
    engine: Engine, environ: Mapping[str, str], container: str, tell: Callable[[str], None]
) -> None:
    """Call `exchange` for a container in which a command has ended; a no-op if the container has ended, too."""
    if not is_used(environ):
        return
    try:
        inspected = engine.inspect(container)
    except SandboxdError:
        return
    if (inspected.get("State") or {}).get("Status") == "running":
        exchange(engine, environ, inspected, tell)
