"""A container of ours that runs our Python and no program of its image.

Our Python is bound read-only at a path that is made up for this container, so no image can have put
anything there. An image can still bring mounts (`VOLUME`): a container with one that was not asked for
is refused before it starts. The container ends by itself, whatever becomes of us.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.payload import interpreter
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import CreateRequest, MountRequest

LIFE_SECONDS = 180


class Started(NamedTuple):
    """A running container of ours, and the folder in it that holds our Python."""

    id: str
    home: str

    def command(self, *arguments: str) -> list[str]:
        """The arguments that start our Python in it."""
        return interpreter.command(self.home, *arguments)

    def environment(self) -> list[str]:
        """The variables for `command`."""
        return interpreter.environment(self.home)


@contextlib.contextmanager
def python(modules: tuple[str, ...], cache_folder: str | None) -> Iterator[str]:
    """A folder of the host with our Python, for several containers side by side; removed afterwards.

    :param modules: the modules that the programs to run there import
    :raises EnvironmentFailure: this machine's Python cannot be copied
    """
    with tempfile.TemporaryDirectory(prefix="sandboxd-python-") as folder:
        interpreter.unpack(folder, tuple(sorted({*modules, "select"})), cache_folder)
        yield folder


@contextlib.contextmanager
def running(
    engine: Engine,
    name: str,
    body: CreateRequest,
    mounts: Collection[str],
    modules: tuple[str, ...],
    cache_folder: str | None,
    life_seconds: int = LIFE_SECONDS,
    python_folder: str | None = None,
) -> Iterator[Started]:
    """Start a container of `body` with our Python in it, and remove it afterwards.

    :param name: the beginning of its name
    :param mounts: where `body` asks for mounts; any other is refused
    :param modules: the modules that the programs to run there import
    :param life_seconds: after which it ends by itself
    :param python_folder: where our Python is unpacked already, by `python` with the same modules
    :raises EnvironmentFailure: it does not start, has a mount that was not asked for, or this machine's
        Python cannot be copied
    """
    home = f"/.sandboxd-{secrets.token_hex(16)}"
    with (
        python(modules, cache_folder)
        if python_folder is None
        else contextlib.nullcontext(python_folder)
    ) as folder:
        container = engine.create(
            f"{name}-{secrets.token_hex(6)}", _with_python(body, folder, home, life_seconds)
        )
        try:
            _refuse_other_mounts(engine, container, {*mounts, home})
            engine.start(container)
            yield Started(container, home)
        finally:
            # The engine may be removing it already, since its first process ended.
            with contextlib.suppress(EnvironmentFailure):
                engine.remove(container)


def _with_python(body: CreateRequest, folder: str, home: str, life_seconds: int) -> CreateRequest:
    # A seccomp list can leave out `clock_nanosleep`, by which `time.sleep` waits.
    wait = f"import select; select.poll().poll({life_seconds * 1000})"
    host = body["HostConfig"].copy()
    ours: MountRequest = {"Type": "bind", "Source": folder, "Target": home, "ReadOnly": True}
    host["Mounts"] = [*(host.get("Mounts") or []), ours]
    host["AutoRemove"] = True
    return {
        **body,
        "Entrypoint": [],
        "Cmd": interpreter.command(home, "-c", wait),
        "Env": [*(body.get("Env") or []), *interpreter.environment(home)],
        "WorkingDir": "/",
        # The engine would start it inside, and it is a program of the image.
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": host,
    }


def _refuse_other_mounts(engine: Engine, container: str, targets: Collection[str]) -> None:
    mounts = engine.inspect(container).get("Mounts") or []
    others = sorted(
        str(m.get("Destination")) for m in mounts if m.get("Destination") not in targets
    )
    if others:
        raise EnvironmentFailure(
            f"the image brings mounts of its own that no plan asks for: {', '.join(others)[:300]}",
            "use an image without `VOLUME`",
        )
