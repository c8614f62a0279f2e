"""The workloads, and the program that runs them inside."""

from __future__ import annotations

import functools
import json
import os
from importlib import import_module
from typing import NamedTuple

from sandboxd.engine.payload import programs
from sandboxd.inside import workloads

_FOLDER = os.path.dirname(os.path.abspath(workloads.__file__))
# Enough for some hundred runs of the quick ones.
SLICE_SECONDS = 0.15
_ORDER = ("computing", "system_calls", "starting_processes", "local_connections")


class Workload(NamedTuple):
    """One kind of work that is measured."""

    name: str
    title: str
    unit: str
    """A description of one run, for a person."""
    source: str
    """The source text of its module."""


@functools.cache
def load() -> tuple[Workload, ...]:
    """All workloads: the short ones first, then those on files of the workspace."""
    entries = []
    for file in os.listdir(_FOLDER):
        if not file.endswith(".py") or file.startswith("_"):
            continue
        module = import_module(f"sandboxd.inside.workloads.{file[:-3]}")
        entries.append(Workload(file[:-3], module.TITLE, module.UNIT, _source(file)))

    def rank(workload: Workload) -> tuple[int, str]:
        is_listed = workload.name in _ORDER
        return (_ORDER.index(workload.name) if is_listed else len(_ORDER), workload.name)

    return tuple(sorted(entries, key=rank))


def program(workspace: str, nonce: str) -> bytes:
    """The Python source that runs all workloads inside.

    :param workspace: the path of the workspace inside
    :param nonce: a random text that marks its output
    """
    parcel = {
        "nonce": nonce,
        "seconds": SLICE_SECONDS,
        "workspace": workspace,
        "modules": {workload.name: workload.source for workload in load()},
    }
    return f"{_source('_runner.py')}\n\nmain(json.loads({json.dumps(parcel)!a}))\n".encode()


def imports() -> tuple[str, ...]:
    """The standard library's modules that the runner and the workloads import."""
    return programs.imported_by([_source("_runner.py"), *(workload.source for workload in load())])


def _source(file: str) -> str:
    with open(os.path.join(_FOLDER, file), encoding="utf-8") as text:
        return text.read()
