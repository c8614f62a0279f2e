"""The escape attempts as data, and the source text of the program that makes them inside."""

from __future__ import annotations

import functools
import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from sandboxd.engine.payload import programs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Judge = Literal["token", "kernel", "namespace", "surface", "workspace", "arrival", "open"]
JUDGES = ("token", "kernel", "namespace", "surface", "workspace", "arrival", "open")

EGRESS = "egress"

JUDGED, ONLY = "judged", "only"
"""Values of `Attempt.cluster`: it can be judged from inside a Pod; it is only about something that clusters have."""

_IN_A_POD = {
    "kernel": JUDGED,
    "namespace": JUDGED,
    "surface": JUDGED,
    "open": JUDGED,
    "token": "its proof is a secret that only the host has, and none is put on a cluster's node",
    "workspace": "its effect is seen in the host's files, and a node's are out of reach",
    "arrival": "its effect is seen by the host, and a cluster's node is out of reach",
}
"""`Attempt.cluster` of modules that do not set it, by their judge."""

# Longer than any attempt takes, network time-outs included.
ATTEMPT_SECONDS = 8.0

_FOLDER = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "inside", "escapes"
)


class Attempt(NamedTuple):
    """One module of `sandboxd.inside.escapes`, where the fields are described."""

    id: str
    title: str
    judge: Judge
    expected: Mapping[str, str]
    declared: Mapping[str, str]
    namespace: str = ""
    waits: bool = False
    """Whether it only waits for the network, so that it can run in parallel to others."""
    live: bool = False
    """Whether it looks for what others put into the sandbox itself, so that it is also made there."""
    last: bool = False
    """Whether it starts a program of the image, after which no report can be trusted, so that it comes last."""
    group: str = ""
    """`EGRESS` for attempts about the network; '' for others."""
    remedy: str = ""
    """Why it escapes if it does, and what the user can change; '' if the plan says that."""
    controls: tuple[str, ...] = ()
    """The controls whose loss leaves it open, as `up` names it."""
    cluster: str = JUDGED
    """`JUDGED` or `ONLY`; otherwise the reason why it cannot be judged in a Pod, whose node nobody can examine."""


@functools.cache
def load() -> tuple[Attempt, ...]:
    """All attempts for a container of this machine, in the order of `every`."""
    return tuple(attempt for attempt in every() if attempt.cluster != ONLY)


@functools.cache
def every() -> tuple[Attempt, ...]:
    """All attempts, sorted by their judge and then by name; those about the network come last."""
    attempts = []
    for file in sorted(os.listdir(_FOLDER)):
        if not file.endswith(".py") or file.startswith("_"):
            continue
        module = import_module(f"sandboxd.inside.escapes.{file[:-3]}")
        attempts.append(
            Attempt(
                file[:-3].replace("_", "-"),
                module.TITLE,
                cast("Judge", module.JUDGE),
                module.EXPECTED,
                getattr(module, "DECLARED", {}),
                getattr(module, "NAMESPACE", ""),
                getattr(module, "WAITS", False),
                getattr(module, "LIVE", False),
                getattr(module, "LAST", False),
                getattr(module, "GROUP", ""),
                getattr(module, "REMEDY", ""),
                getattr(module, "CONTROLS", ()),
                getattr(module, "CLUSTER", _IN_A_POD[module.JUDGE]),
            )
        )
    return tuple(sorted(attempts, key=lambda a: (a.group, JUDGES.index(a.judge), a.id)))


def program(
    attempts: Sequence[Attempt], facts: Mapping[str, Any], nonce: str, control: str = ""
) -> bytes:
    """The source text to run with Python inside. It contains none of the secrets that attempts try to find.

    :param facts: values for the attempts, as JSON
    :param nonce: a random text that marks the program's own output lines
    :param control: the name of a helper that is run first like an attempt and has to succeed; '' for none
    """
    modules = {}
    # Other helpers import this one, and they are made in this order.
    for file in sorted(os.listdir(_FOLDER), key=lambda file: (file != "_kernel.py", file)):
        if file.endswith(".py") and file not in ("__init__.py", "_runner.py"):
            modules[file[:-3]] = _source(file)
    parcel = {
        "nonce": nonce,
        "facts": facts,
        "seconds": ATTEMPT_SECONDS,
        "attempts": [
            *([control] if control else []),
            *(attempt.id.replace("-", "_") for attempt in attempts if not attempt.last),
        ],
        "waiting": [attempt.id.replace("-", "_") for attempt in attempts if attempt.waits],
        "last": [attempt.id.replace("-", "_") for attempt in attempts if attempt.last],
        "modules": modules,
    }
    return f"{_source('_runner.py')}\n\nmain(json.loads({json.dumps(parcel)!a}))\n".encode()


@functools.cache
def imports() -> tuple[str, ...]:
    """The modules of the standard library that the runner and the attempts import."""
    files = (file for file in os.listdir(_FOLDER) if file.endswith(".py"))
    return programs.imported_by(_source(file) for file in files)


def _source(file: str) -> str:
    with open(os.path.join(_FOLDER, file), encoding="utf-8") as text:
        return text.read()
