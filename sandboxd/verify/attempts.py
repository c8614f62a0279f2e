"""The escape attempts as data, and the program that makes them inside."""

from __future__ import annotations

import functools
import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from sandboxd.payload import programs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Judge = Literal["token", "kernel", "namespace", "surface", "workspace", "arrival", "open"]
JUDGES = ("token", "kernel", "namespace", "surface", "workspace", "arrival", "open")

EGRESS = "egress"

JUDGED, ONLY = "judged", "only"
"""Of `Attempt.cluster`: it can be judged from inside a Pod, and it is about what a cluster alone has."""

_IN_A_POD = {
    "kernel": JUDGED,
    "namespace": JUDGED,
    "surface": JUDGED,
    "open": JUDGED,
    "token": "its proof is a secret that only the host has, and none is put on a cluster's node",
    "workspace": "its effect is seen in the host's files, and a node's are out of reach",
    "arrival": "its effect is seen by the host, and a cluster's node is out of reach",
}
"""The value of `CLUSTER` where an attempt does not give it, by its judge."""

# Longer than any attempt takes, network time-outs included.
ATTEMPT_SECONDS = 8.0

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "escapes")


class Attempt(NamedTuple):
    """One module of `sandboxd.escapes`; see there for the meaning of each field."""

    id: str
    title: str
    judge: Judge
    expected: Mapping[str, str]
    declared: Mapping[str, str]
    namespace: str = ""
    waits: bool = False
    """Whether it does nothing but wait for the network, so that it may be made beside others."""
    live: bool = False
    """Whether it looks for what others put into the sandbox in use, so that it is made there, too."""
    last: bool = False
    """Whether it starts a program of the image, so that nothing may be reported after it."""
    group: str = ""
    """`EGRESS`, or '' for all that is not about the network."""
    remedy: str = ""
    """The reason why it escapes where it does, and what the user changes then; '' where the plan says it."""
    cluster: str = JUDGED
    """`JUDGED` or `ONLY`; else why it cannot be judged in a Pod, whose node nobody looks at."""


@functools.cache
def load() -> tuple[Attempt, ...]:
    """All attempts on a container of this machine; the order is that of `every`."""
    return tuple(attempt for attempt in every() if attempt.cluster != ONLY)


@functools.cache
def every() -> tuple[Attempt, ...]:
    """All attempts, in the order of their names within their judge; those about the network last."""
    attempts = []
    for file in sorted(os.listdir(_FOLDER)):
        if not file.endswith(".py") or file.startswith("_"):
            continue
        module = import_module(f"sandboxd.escapes.{file[:-3]}")
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
                getattr(module, "CLUSTER", _IN_A_POD[module.JUDGE]),
            )
        )
    return tuple(sorted(attempts, key=lambda a: (a.group, JUDGES.index(a.judge), a.id)))


def program(
    attempts: Sequence[Attempt], facts: Mapping[str, Any], nonce: str, control: str = ""
) -> bytes:
    """The source text to feed to Python inside. It holds no secret that an attempt must find.

    :param control: a helper with an `attempt` that is made first: it is to succeed
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
    """The standard library's modules that the runner and the attempts import."""
    files = (file for file in os.listdir(_FOLDER) if file.endswith(".py"))
    return programs.imported_by(_source(file) for file in files)


def _source(file: str) -> str:
    with open(os.path.join(_FOLDER, file), encoding="utf-8") as text:
        return text.read()
