"""Observes a container's first process from a second container of ours, for when this process may not read the host's
/proc.

That container shares only the process namespace, and runs only our Python (`payload.container`). Processes of the
sandbox can kill it, and then nothing is observed; they cannot manipulate it, as it runs as another user.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.engine.payload import container as own_container
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import MADE_BY, PROJECT
from sandboxd.observe.process import FILES, Process, of_files

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import CreateRequest, Inspected

_USER = "65533:65533"
_MODULES = ("json", "sys")
_PROGRAM = """
import json, sys
found = {}
for name, path in json.loads(sys.argv[1]).items():
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found[name] = file.read(1 << 20)
    except OSError:
        found[name] = ""
print(json.dumps(found))
"""


def look(engine: Engine, inspected: Inspected, cache_folder: str | None) -> Process | None:
    """The container's main process; None if no observer can be started.

    :param cache_folder: where our Python is cached; None for no cache
    """
    if not engine.is_local:
        return None
    paths = {name: path.format(pid=1) for name, path in FILES.items()}
    try:
        with own_container.running(
            engine, "sandboxd-observer", _body(inspected), (), _MODULES, cache_folder
        ) as started:
            command = started.command("-c", _PROGRAM, json.dumps(paths))
            request = Exec(command, env=started.environment(), user=_USER)
            code, output = run_quietly(engine, started.id, request)
    except EnvironmentFailure:
        return None
    return _parse(output) if code == 0 else None


def _parse(output: bytes) -> Process | None:
    try:
        files = json.loads(output)
        return of_files({str(name): str(text) for name, text in files.items()})
    except (ValueError, AttributeError, RecursionError):
        return None


def _body(inspected: Inspected) -> CreateRequest:
    return {
        # None of its programs runs; the engine has it.
        "Image": inspected.get("Image") or "",
        "User": _USER,
        "Labels": {PROJECT: "none", MADE_BY: "observer"},
        "HostConfig": {
            "Runtime": (inspected.get("HostConfig") or {}).get("Runtime") or "",
            "PidMode": f"container:{inspected.get('Id')}",
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
        },
    }
