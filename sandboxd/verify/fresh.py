"""A second container of a plan, for `verify` alone: in it runs no code of the project or the image.

It differs from the sandbox in its name, in what it starts, and in two more mounts: our Python, read-only,
and an empty list of libraries in place of one that the image could have loaded into it. The engine
removes it when its first process ends, which it does by itself, whatever becomes of us.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import tarfile
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandboxd.errors import UsageError
from sandboxd.life import volumes
from sandboxd.model.labels import PROFILE
from sandboxd.payload import interpreter
from sandboxd.plan import stubs
from sandboxd.plan.writers.engine import arguments
from sandboxd.verify import attempts

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan

HOME = "/.sandboxd-verify"
PRELOADED = "/etc/ld.so.preload"
_LIFE_SECONDS = 180


@contextlib.contextmanager
def sandbox(engine: Engine, plan: Plan, cache_folder: str | None) -> Iterator[str]:
    """A running one; it is gone afterwards.

    :raises UsageError: the plan's sandbox has to be prepared by programs of the image
    :raises EnvironmentFailure: it does not start, or this machine's Python cannot be sent along
    """
    if plan.prepare:
        raise UsageError(
            f"profile `{plan.profile}` copies the workspace with a program of the image, so no sandbox of "
            "it is without one",
            "`sandboxd verify` attacks the one that runs; run it before your own code ran there",
        )
    body = arguments(plan)
    volumes.refuse_other_device(engine, body)
    with tempfile.TemporaryDirectory(prefix="sandboxd-verify-") as folder:
        _unpack(folder, cache_folder)
        _change(body, folder)
        made = stubs.make(plan.workspace, plan.stubs)
        container = engine.create(f"sandboxd-verify-{secrets.token_hex(6)}", body)
        try:
            engine.start(container)
            yield container
        finally:
            engine.remove(container)
            stubs.remove(plan.workspace, made)


def command(home: str = HOME) -> list[str]:
    """What starts our Python in it; a program is read from its input."""
    libraries = f"{home}/libraries"
    return [f"{home}/loader", "--library-path", libraries, f"{home}/python", "-S", "-s", "-B", "-"]


def environment(home: str = HOME) -> list[str]:
    """Variables for that, with those of the image that would change what is loaded emptied."""
    return [
        f"PYTHONHOME={home}",
        f"PYTHONPATH={home}/modules",
        "LD_PRELOAD=",
        "LD_AUDIT=",
        "LD_LIBRARY_PATH=",
        "GLIBC_TUNABLES=",
    ]


def _unpack(folder: str, cache_folder: str | None) -> None:
    data = interpreter.archive(b"", attempts.imports(), cache_folder)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(folder, filter="data")
    with open(os.path.join(folder, "none"), "wb"):
        pass
    # Whoever the plan runs as must be able to read it; nobody can write it.
    for place, _, files in os.walk(folder):
        for path in (place, *(os.path.join(place, name) for name in files)):
            os.chmod(path, 0o555)  # noqa: S103 - without a secret
    os.chmod(folder, 0o755)  # noqa: S103 - so that it can be removed


def _change(body: dict[str, Any], folder: str) -> None:
    wait = f"import time; time.sleep({_LIFE_SECONDS})"
    body["Cmd"] = [*command()[:-1], "-c", wait]
    body["Env"] = [*body["Env"], *environment()]
    # It is no sandbox of the project: nothing may find it as one.
    body["Labels"] = {PROFILE: body["Labels"][PROFILE]}
    body["HostConfig"]["AutoRemove"] = True
    body["HostConfig"]["Mounts"] += [
        {"Type": "bind", "Source": folder, "Target": HOME, "ReadOnly": True},
        {"Type": "bind", "Source": f"{folder}/none", "Target": PRELOADED, "ReadOnly": True},
    ]
