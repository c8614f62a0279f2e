"""Makes an image with device files in it, for the attempt that opens them (CVE-2026-96812).

The engine puts the files into a container that never starts, and the container becomes an image: anybody who publishes
an image can do the same. To open them does nothing to the host.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import tarfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine

# Character devices that no sandbox has of its own: the kernel's log, loop devices, mounts on demand.
NODES = {"kmsg": (1, 11), "loop-control": (10, 237), "autofs": (10, 235)}


@contextlib.contextmanager
def image(engine: Engine, base: str) -> Iterator[tuple[str, str]]:
    """An image based on `base` with device files, and the folder that contains them; it is removed at the end of the
    context.

    If the engine cannot make one, the values are `base` and ''.
    """
    folder = f"/.sandboxd-nodes-{secrets.token_hex(8)}"
    identity = _commit(engine, base, folder)
    try:
        yield (identity, folder) if identity else (base, "")
    finally:
        if identity:
            with contextlib.suppress(EnvironmentFailure):
                engine.remove_image(identity)


def _commit(engine: Engine, base: str, folder: str) -> str:
    """The id of the image, '' where the engine refuses a step."""
    container = ""
    try:
        container = engine.create(
            f"sandboxd-nodes-{secrets.token_hex(6)}",
            {"Image": base, "Entrypoint": [], "Cmd": ["none"], "HostConfig": {}},
        )
        engine.put_archive(container, "/", _archive(folder.strip("/")))
        return engine.commit(container)
    except EnvironmentFailure:
        return ""
    finally:
        if container:
            with contextlib.suppress(EnvironmentFailure):
                engine.remove(container)


def _archive(folder: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(entry)
        for name, (major, minor) in NODES.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.type, entry.mode = tarfile.CHRTYPE, 0o666
            entry.devmajor, entry.devminor = major, minor
            archive.addfile(entry)
    return buffer.getvalue()
