"""Trials: whether a registered runtime really starts a container, and on which kernel.

One container each, without network, removed at once. The outcome is cached by engine, definition, version
and kernel, so that each is tried once on a machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sandboxd.engine.client import Engine
from sandboxd.engine.failures import EngineFailure
from sandboxd.engine.unreachable import WORDS
from sandboxd.host import runtime_processes
from sandboxd.host.facts.engine import names_gvisor
from sandboxd.host.memory import Memory

if TYPE_CHECKING:
    from sandboxd.model.engine_answers import CreateRequest

LABEL = "dev.sandboxd.trial"
_NAMES = ("sandboxd-trial-", "sandboxd-premises-")

_AT_ONCE = 4
_START_SECONDS = 20.0
_RUN_SECONDS = 10.0
_REMOVE_SECONDS = 5.0
_OUTPUT_SECONDS = 5.0
# A failure is tried again after this many seconds; a success is believed until something changes.
_RETRY_SECONDS = 60.0
# A container of ours that is older than this was left by a trial that was killed.
_STALE_SECONDS = 120

Trial = dict[str, Any]


def run_trials(
    engine: Engine,
    info: dict[str, Any],
    runtimes: list[dict[str, Any]],
    kernel: str,
    memory: Memory,
    anew: bool = False,
) -> dict[str, Trial]:
    """The outcome of a trial for each of `runtimes`, by name; cached ones are not tried again.

    :param runtimes: each with ``name``, ``path``, ``args`` and ``version``
    :param kernel: the release of the kernel that containers run on
    :param anew: try all of them, whatever is cached
    """
    trials: dict[str, Trial] = {}
    todo = []
    for runtime in runtimes:
        key = _key(str(info.get("ID")), runtime, kernel)
        remembered = memory.get(key)
        if not anew and isinstance(remembered, dict) and not _is_old_failure(remembered):
            trials[runtime["name"]] = {
                name: remembered[name] for name in remembered if name != "at"
            }
        else:
            todo.append((key, runtime["name"]))
    for key, name, trial in _run(engine, str(info.get("Architecture")), todo) if todo else ():
        trials[name] = trial
        if trial.get("started") is not None:
            memory.put(key, trial if trial["started"] else trial | {"at": time.time()})
    return trials


def _is_old_failure(trial: Trial) -> bool:
    """Whether a remembered failure is due for another trial: its reason, such as load, may have passed."""
    at = trial.get("at")
    is_recent = isinstance(at, int | float) and 0 <= time.time() - at < _RETRY_SECONDS
    return trial.get("started") is False and not is_recent


def _run(
    engine: Engine, architecture: str, todo: list[tuple[str, str]]
) -> list[tuple[str, str, Trial]]:
    from sandboxd.host.trial_image import trial_archive, trial_command

    try:
        _remove_stale(engine)
        archive = trial_archive(architecture)
        if archive is None:
            reason = f"no image for it on `{architecture}`: busybox-static is not installed"
            return [(key, name, _not_tried(reason)) for key, name in todo]
        with image(engine, archive) as tag:
            command = trial_command(architecture)
            # Beside one another: of each start the most is waiting for the engine and the runtime.
            with ThreadPoolExecutor(
                min(len(todo), _AT_ONCE), thread_name_prefix="trial"
            ) as threads:
                answers = threads.map(lambda one: _try(engine, tag, command, one[1]), todo)
                return [(*one, trial) for one, trial in zip(todo, answers, strict=True)]
    except EngineFailure as error:
        return [(key, name, _not_tried(f"no image for it: {error.detail}")) for key, name in todo]


@contextlib.contextmanager
def image(engine: Engine, archive: bytes) -> Iterator[str]:
    """Import an image with this root file system for the block, and yield its tag; it is removed afterwards.

    :raises EngineFailure: the engine refuses it
    """
    # A name of its own: another probe must not remove the image that this one uses.
    tag = f"{os.getpid()}-{time.monotonic_ns()}"
    engine.import_image(archive, "sandboxd-trial", tag, f"{LABEL}=true")
    try:
        yield f"sandboxd-trial:{tag}"
    finally:
        with contextlib.suppress(EngineFailure):
            engine.remove_image(f"sandboxd-trial:{tag}")


def has_own_kernel(trial: Trial) -> bool:
    """Whether a container was started on gVisor's kernel: the version is gVisor's, the boot id not the host's."""
    is_own = trial.get("boot_id") != trial.get("host_boot_id")
    return trial.get("started") is True and is_own and names_gvisor(str(trial.get("kernel")))


def _not_tried(reason: str) -> Trial:
    return {"started": None, "message": reason}


def _try(engine: Engine, image: str, command: list[str], runtime: str) -> Trial:
    """Start one container and judge it by its output."""
    body: CreateRequest = {
        "Image": image,
        "Entrypoint": command,
        "Labels": {LABEL: "true"},
        "HostConfig": {"Runtime": runtime, "NetworkMode": "none", "CapDrop": ["ALL"]},
    }
    try:
        container = engine.create(f"{_NAMES[0]}{secrets.token_hex(6)}", body)
    except EngineFailure as error:
        return _failure(error)
    trial: Trial
    try:
        engine.start(container, _START_SECONDS)
        code = engine.wait(container, _RUN_SECONDS)
        trial = _judge(_printed(engine, container, code), code)
    except EngineFailure as error:
        trial = _failure(error)
    finally:
        with contextlib.suppress(EngineFailure):
            engine.remove(container, _START_SECONDS)
    if trial["started"] is False and engine.is_local:
        end_leaked(container)
    return trial


def _printed(engine: Engine, container: str, code: int) -> str:
    """The output of a container that ended with `code`; '' where none arrived in time.

    A busy engine tells of the end before it has the output, which it waits two seconds for
    (moby, `daemon/monitor.go`).
    """
    until = time.monotonic() + _OUTPUT_SECONDS
    while True:
        printed = b"".join(piece for _, piece in engine.logs(container, follow=False, tail="all"))
        if printed or code or time.monotonic() > until:
            return printed.decode("utf-8", "replace")
        time.sleep(0.1)


def _failure(error: EngineFailure) -> Trial:
    """The outcome of a trial that ended with an engine error; a lost connection proves nothing."""
    if error.case == "hanging":
        return _start_failure(f"it did not end within {error.detail} s")
    return _not_tried(error.message) if error.case in WORDS else _start_failure(error.detail)


def _start_failure(message: str) -> Trial:
    """A start that failed. A full disk is not the runtime's fault, and may be over in a moment."""
    if "no space left on device" in message:
        return _not_tried(message)
    return {"started": False, "message": message}


def _judge(output: str, code: int) -> Trial:
    if not output and not code:
        # It ran to its end: what its kernel is was not learnt, and nothing is known against the runtime.
        return _not_tried("what it printed did not arrive")
    boot_id, _, version = output.strip().partition("\n")
    if not version:
        return {"started": False, "message": f"it printed `{output.strip()[:200]}`"}
    return {
        "started": True,
        "message": "",
        "boot_id": boot_id.strip(),
        "kernel": version.strip(),
        "host_boot_id": host_boot_id(),
    }


def host_boot_id() -> str | None:
    """The boot id of this machine's kernel, which all containers on the same kernel share; None where it cannot be
    read.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def end_leaked(container: str) -> None:
    """Kill the processes (sandbox and gofer) that runsc leaves behind when it could not start a container."""
    for pid in runtime_processes.of_gvisor(container):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _remove_stale(engine: Engine) -> None:
    for container in engine.containers(f"{LABEL}=true"):
        # A container of any image has the image's labels; its name is that of who made it.
        if not container.name.startswith(_NAMES):
            continue
        if time.time() - container.created > _STALE_SECONDS:
            with contextlib.suppress(EngineFailure):
                engine.remove(container.id, _REMOVE_SECONDS)


def _key(engine_id: str, runtime: dict[str, Any], kernel: str) -> str:
    facts = [
        engine_id,
        runtime["name"],
        runtime["path"],
        runtime["args"],
        runtime["version"],
        kernel,
    ]
    return "trial:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()
