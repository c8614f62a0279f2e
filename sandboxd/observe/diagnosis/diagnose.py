"""Asks every cause about a failed command, and weighs the answers."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.observe.diagnosis import causes

if TYPE_CHECKING:
    from sandboxd.observe.diagnosis.case import Answer, Failure, Find, Sandbox

Outcome = Literal["blocked", "perhaps blocked", "not by the sandbox", "not known"]

KEPT_CHARACTERS = 16384
"""How much of the end of a command's output is looked at."""

_MOST_CHARACTERS_OF_LINE = 1000

_LAST_LINES = 12
"""How many lines of its end a program tells its own end by; what it said before that it may have gone on without."""

# ECMA-48: control sequences, and commands of the operating system (window titles, links) up to their end.
_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")


# What a program says when something is refused, missing or full. Only whether it is worth a closer look.
_REFUSAL = re.compile(
    r"not permitted|denied|read-only|resource busy|resolve|unreachable|no space left|cannot allocate"
    r"|temporarily unavailable|can't start new thread|not implemented|not supported|no such device|no usable sandbox"
    r"|namespace|docker daemon|new privileges|superuser|you must be root|are you root|response 403|failed: 403"
    r"|could not read username|WaitPID",
    re.IGNORECASE,
)
_KILLED = 137


class Diagnosis(NamedTuple):
    """What blocked a command."""

    outcome: Outcome
    answers: tuple[Answer, ...] = ()
    """The most likely first; () if the cause is not known."""


def plain_output(data: bytes) -> str:
    """The end of a command's output as text, without terminal sequences, and without the ends of very long lines."""
    text = data[-KEPT_CHARACTERS:].decode("utf-8", "replace").replace("\r", "\n")
    lines = _SEQUENCES.sub("", text).splitlines()
    return "\n".join(line[:_MOST_CHARACTERS_OF_LINE] for line in lines)


def diagnose(failure: Failure, sandbox: Sandbox) -> Diagnosis:
    """The cause of `failure`, by what was seen of it. Never an answer for certain that two witnesses do not give."""
    end = failure._replace(output="\n".join(failure.output.splitlines()[-_LAST_LINES:]))
    answers = _answers(end, sandbox)
    because = {answer.because for answer in answers}
    for answer in _answers(failure, sandbox):
        if answer.because not in because:
            answers.append(answer._replace(is_certain=False))
    certain = [answer for answer in answers if answer.is_certain]
    blocked = [answer for answer in certain if answer.control]
    if blocked:
        return Diagnosis("blocked", tuple(blocked))
    if certain:
        return Diagnosis("not by the sandbox", tuple(certain))
    if answers:
        return Diagnosis("perhaps blocked", tuple(answers))
    return Diagnosis("not known")


def may_be_blocked(exit_code: int, output: str) -> bool:
    """Whether the end of a failed command's output reads as if something was refused to it."""
    return exit_code == _KILLED or _REFUSAL.search(output) is not None


def _answers(failure: Failure, sandbox: Sandbox) -> list[Answer]:
    return [answer for find in _causes() for answer in find(failure, sandbox)]


@functools.cache
def _causes() -> tuple[Find, ...]:
    names = sorted(each.name for each in pkgutil.iter_modules(causes.__path__))
    return tuple(importlib.import_module(f"{causes.__name__}.{name}").find for name in names)
