"""Names that the gateway did not let through, or did not reach, while the command ran."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.egress import words
from sandboxd.observe.diagnosis.case import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Attempt, Failure, Sandbox

_MOST = 3
_NAMES = re.compile(r"[\w.-]+")
_NOT_DENIED = frozenset({"unresolved", "unreachable", "upstream", "address", "tls", "full"})
"""Reasons for which an allowed name was not reached."""

_REFUSALS = ("CONNECT tunnel failed, response 403", "Tunnel connection failed: 403")
"""The words of curl and git, and of Python, for a proxy that refuses a name, which they do not repeat."""


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer for each name, those first that the program or its command names."""
    # A name is looked up, and then connected to: the later attempt has the port.
    by_name = {attempt.name: attempt for attempt in sorted(sandbox.attempts, key=_port)}
    attempts = sorted(by_name.values(), key=lambda attempt: not _is_named(failure, attempt))
    is_alone = len(attempts) == 1
    says_refused = any(words in failure.output for words in _REFUSALS)
    for attempt in attempts[:_MOST]:
        is_certain = _is_named(failure, attempt) or (is_alone and says_refused)
        yield _answer(attempt, is_certain=is_certain)


def _port(attempt: Attempt) -> int:
    return attempt.port


def _answer(attempt: Attempt, *, is_certain: bool) -> Answer:
    place = words.target(attempt.name, attempt.port)
    detail = f" ({attempt.detail})" if attempt.detail else ""
    if attempt.reason in _NOT_DENIED and attempt.reason != "address":
        because = f"`{place}` was let through and not reached: {attempt.words}{detail}"
        return Answer("", because, is_certain=is_certain)
    return Answer(
        "network",
        f"`{place}` was asked for: {attempt.words}{detail}",
        attempt.rule,
        attempt.command and f"`{attempt.command}`",
        words.CONSEQUENCE if attempt.command else "",
        is_certain,
    )


def _is_named(failure: Failure, attempt: Attempt) -> bool:
    """Whether the program, or the command, names what was asked for."""
    name = attempt.name.lower().removesuffix(".")
    texts = (*failure.lines(), *failure.command)
    return any(name == word.strip(".") for text in texts for word in _NAMES.findall(text.lower()))
