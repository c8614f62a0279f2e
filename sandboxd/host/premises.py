"""Tries what plans rely on in a gVisor build ("premises"): one throw-away container for each gVisor runtime.

The answers are cached by engine, program, version, arguments, kernel and the text of the attacks, so that a build is
tried once. A premise that could not be tried has no answer, and counts as not held.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from sandboxd.engine.client import Exec
from sandboxd.engine.payload import container, programs
from sandboxd.errors import EnvironmentFailure
from sandboxd.host import trials
from sandboxd.host.premise_folder import PINNED, SOCKET, PremiseFolder
from sandboxd.host.trial_image import empty_archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.host.memory import Memory
    from sandboxd.model.engine_answers import CreateRequest

Answer = dict[str, Any]
"""``premises``: by name ``holds`` and ``detail``; ``message``: why there are none, '' where there are some."""

_RUN_SECONDS = 15.0
_ATTEMPT_SECONDS = 5.0
_RETRY_SECONDS = 60.0
"""A failure to try is tried again after this time: it may be the machine's load."""

_MEMORY = 512 << 20
_PROCESSES = 3
_OPEN_FILES = 32
_FOLDER, _FILE = "/premises/folder", "/premises/file"
_ABOVE = "/premises/above"
_PINNED = f"{_ABOVE}/{PINNED}"

_ROOM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SENT = ("inside/escapes/_kernel.py", "inside/escapes/_users.py")


class Module(Protocol):
    """A module of `sandboxd.inside.escapes.premises`."""

    TITLE: str
    PLAN: tuple[str, str]

    def judge(self, inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]: ...


class Subject(NamedTuple):
    """A registered gVisor runtime to try; `build` identifies its program file (`program_files.build_of`)."""

    name: str
    path: str
    args: tuple[str, ...]
    version: str | None
    build: str


@functools.cache
def load() -> dict[str, Module]:
    """All premises, by name and in the order of their names."""
    files = sorted(os.listdir(os.path.join(_ROOM, "inside", "escapes", "premises")))
    names = [name[:-3] for name in files if name.endswith(".py") and not name.startswith("_")]
    return {
        name: cast("Module", import_module(f"sandboxd.inside.escapes.premises.{name}"))
        for name in names
    }


def subjects(
    runtimes: Iterable[Mapping[str, Any]], outcomes: Mapping[str, Mapping[str, Any]]
) -> list[Subject]:
    """The runtimes that could start a container, with a kernel of its own.

    :param outcomes: by runtime, what `trials.run_trials` returned
    """
    chosen = []
    for runtime in runtimes:
        trial = outcomes.get(runtime["name"]) or {}
        if trials.has_own_kernel(dict(trial)):
            chosen.append(
                Subject(
                    runtime["name"],
                    runtime["path"],
                    tuple(runtime["args"]),
                    runtime["version"],
                    str(runtime.get("build") or ""),
                )
            )
    return chosen


def recall(
    engine_id: str, those: Iterable[Subject], kernel: str, memory: Memory
) -> dict[str, Answer]:
    """The cached answers by runtime; failed trials that are due again are left out.

    :param kernel: the release of the kernel that containers run on
    """
    answers = {}
    for subject in those:
        answer = memory.get(key(engine_id, subject, kernel))
        if isinstance(answer, dict) and not _is_old_failure(answer):
            answers[subject.name] = answer
    return answers


def run(
    engine: Engine,
    info: Mapping[str, Any],
    those: list[Subject],
    kernel: str,
    memory: Memory,
    cache_folder: str | None,
) -> dict[str, Answer]:
    """Try the runtimes `those` in parallel; caches and returns the answers by runtime.

    :param info: the engine's answer to `/info`
    :param kernel: the release of the kernel that they run on
    :param cache_folder: the folder that caches a Python to run inside; None for no cache
    """
    if not those:
        return {}
    # Before the threads: Python 3.11 cannot parse two sources at once.
    _imports()
    try:
        with (
            container.python(_imports(), cache_folder) as python,
            trials.image(engine, empty_archive()) as image,
            ThreadPoolExecutor(len(those), thread_name_prefix="premises") as threads,
        ):
            answers = list(threads.map(lambda s: _try(engine, image, s, python), those))
    except EnvironmentFailure as error:
        answers = [_no_answer(error.message) for _ in those]
    for subject, answer in zip(those, answers, strict=True):
        memory.put(key(str(info.get("ID")), subject, kernel), answer)
    return {subject.name: answer for subject, answer in zip(those, answers, strict=True)}


def _try(engine: Engine, image: str, subject: Subject, python: str) -> Answer:
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    output = bytearray()

    def collect(stream: int, data: bytes) -> None:
        if stream == 1 and len(output) < 1 << 18:
            output.extend(data)

    try:
        with (
            PremiseFolder(load()) as folder,
            container.running(
                engine,
                "sandboxd-premises",
                _body(image, subject, folder),
                (_FOLDER, _FILE, _ABOVE, _PINNED),
                _imports(),
                None,
                python_folder=python,
            ) as started,
        ):
            request = Exec(started.command("-"), env=started.environment())
            programs.run(engine, started.id, request, _program(nonce), _RUN_SECONDS, collect)
            outside = folder.look()
    except (EnvironmentFailure, TimeoutError, OSError) as error:
        return _no_answer(error.message if isinstance(error, EnvironmentFailure) else str(error))
    outside |= {
        "arguments": list(subject.args),
        "memory": _MEMORY,
        "processes": _PROCESSES,
        "open_files": _OPEN_FILES,
    }
    return judge(_records(bytes(output), nonce), outside)


def judge(records: Mapping[str, dict[str, Any]], outside: dict[str, Any]) -> Answer:
    """The verdict on each premise, from what was reported inside and what the host saw.

    :param records: the report of each premise from inside, by name
    :param outside: as `PremiseFolder.look` returns it, and ``arguments`` of the runtime; ``memory`` in bytes,
        ``processes`` and ``open_files``: the container's limits
    """
    premises = {}
    for name, module in load().items():
        inside = records.get(name, {"state": "unclear", "detail": "it was not reported"})
        try:
            holds, detail = module.judge(inside, outside)
        except (KeyError, TypeError) as error:
            holds, detail = False, f"the report lacks {error}"
        premises[name] = {"holds": holds, "detail": detail[:200]}
    return {"premises": premises, "message": ""}


def _no_answer(message: str) -> Answer:
    return {"premises": {}, "message": message[:300], "at": time.time()}


def _is_old_failure(answer: Answer) -> bool:
    at = answer.get("at")
    if at is None:
        return False
    return not (isinstance(at, int | float) and 0 <= time.time() - at < _RETRY_SECONDS)


def _body(image: str, subject: Subject, folder: PremiseFolder) -> CreateRequest:
    """A create request for root with SYS_ADMIN, the strongest that attacks; with a filter and limits.

    The filter refuses one call.
    """
    refused = load()["exec_filter"].REFUSED  # type: ignore[attr-defined]
    call = {"names": [refused], "action": "SCMP_ACT_ERRNO"}
    filters = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [call]}
    return {
        "Image": image,
        "User": "0:0",
        "Labels": {trials.LABEL: "true"},
        "HostConfig": {
            "Runtime": subject.name,
            "NetworkMode": "none",
            "CapAdd": ["SYS_ADMIN"],
            "SecurityOpt": ["no-new-privileges", f"seccomp={json.dumps(filters)}"],
            "Annotations": {"dev.gvisor.flag.oci-seccomp": "true"},
            "Memory": _MEMORY,
            "Ulimits": [
                {"Name": "nproc", "Soft": _PROCESSES, "Hard": _PROCESSES},
                {"Name": "nofile", "Soft": _OPEN_FILES, "Hard": _OPEN_FILES},
            ],
            "Mounts": [
                {"Type": "bind", "Source": folder.folder, "Target": _FOLDER, "ReadOnly": True},
                {"Type": "bind", "Source": folder.file, "Target": _FILE, "ReadOnly": True},
                {"Type": "bind", "Source": folder.above, "Target": _ABOVE},
                {"Type": "bind", "Source": folder.pinned, "Target": _PINNED, "ReadOnly": True},
            ],
        },
    }


def _program(nonce: str) -> bytes:
    """The text for Python inside: the runner of the escape attempts, with the premises as its attempts."""
    modules = {os.path.basename(path)[:-3]: _source(path) for path in _SENT}
    modules |= {name: _source(f"inside/escapes/premises/{name}.py") for name in load()}
    parcel = {
        "nonce": nonce,
        "facts": {
            "folder": _FOLDER,
            "file": _FILE,
            "pinned": _PINNED,
            "socket": SOCKET,
            "processes": _PROCESSES,
            "open_files": _OPEN_FILES,
        },
        "seconds": _ATTEMPT_SECONDS,
        "attempts": list(load()),
        "waiting": [],
        "modules": modules,
    }
    runner = _source("inside/escapes/_runner.py")
    return f"{runner}\n\nmain(json.loads({json.dumps(parcel)!a}))\n".encode()


@functools.cache
def _imports() -> tuple[str, ...]:
    files = (
        *_SENT,
        "inside/escapes/_runner.py",
        *(f"inside/escapes/premises/{name}.py" for name in load()),
    )
    return programs.imported_by(_source(path) for path in files)


@functools.cache
def _source(path: str) -> str:
    with open(os.path.join(_ROOM, *path.split("/")), encoding="utf-8") as text:
        return text.read()


def _records(output: bytes, nonce: str) -> dict[str, dict[str, Any]]:
    """The runner's report of each premise, by its name."""
    records = {}
    for line in output.decode("utf-8", "replace").splitlines():
        if line.startswith(f"{nonce} "):
            record = json.loads(line[len(nonce) + 1 :])
            if record["kind"] == "attempt":
                records[record["name"]] = record
    return records


def key(engine_id: str, subject: Subject, kernel: str) -> str:
    """The cache key of an answer: it differs by engine, build, arguments, kernel and attack."""
    attacks = hashlib.sha256(_program("").replace(b"\r", b"")).hexdigest()
    facts = [engine_id, *subject, kernel, attacks]
    return "premises:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()
