"""Stores which premises the build of a registered gVisor runtime was seen to hold, for checks of running containers.

Such a check must not start a trial: it reads the result of an earlier one of exactly this program, as it is on the
disk now, with these arguments, on this kernel.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from sandboxd.host.memory import open_memory
from sandboxd.host.program_files import build_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from sandboxd.host.memory import Memory


def keep(
    memory: Memory, info: Mapping[str, Any], name: str, build: str, held: Collection[str]
) -> None:
    """Store the names of the premises that held.

    :param info: the engine's answer to `/info`
    :param name: of the runtime
    :param build: the runtime's program, as `program_files.build_of` returns it
    :param held: names of premises
    """
    memory.put(_key(info, name, build), sorted(held))


def recall(environ: Mapping[str, str], info: Mapping[str, Any], name: str) -> frozenset[str]:
    """The names of the premises that the runtime `name` was seen to hold; empty where nothing was tried.

    :param info: the engine's answer to `/info`
    """
    entry = (info.get("Runtimes") or {}).get(name) or {}
    build = build_of(str(entry.get("path") or ""))
    held = open_memory(environ).get(_key(info, name, build)) if build else None
    return frozenset(map(str, held)) if isinstance(held, list) else frozenset()


def _key(info: Mapping[str, Any], name: str, build: str) -> str:
    entry = (info.get("Runtimes") or {}).get(name) or {}
    arguments: Sequence[str] = entry.get("runtimeArgs") or ()
    facts = [
        str(info.get("ID")),
        str(info.get("KernelVersion")),
        name,
        str(entry.get("path")),
        list(arguments),
        build,
    ]
    return "held:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()
