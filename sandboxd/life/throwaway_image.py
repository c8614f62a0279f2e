"""The smallest image that a sandbox can run: this machine's static busybox, imported into the engine.

For checks on a machine that has no image and no registry. It is made for one use and then removed.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Iterator

from sandboxd.engine.client import connect
from sandboxd.engine.contexts import Identity
from sandboxd.engine.failures import EngineFailure
from sandboxd.errors import EnvironmentFailure

_IMPORT_SECONDS = 30.0
_USERS = "root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n"
_GROUP = "root:x:0:\ndev:x:1000:\n"
_FOLDERS = ("bin", "etc", "root", "proc", "sys", "dev", "run", "var")


@contextlib.contextmanager
def busybox_image(identity: Identity) -> Iterator[str]:
    """Import the image and return its tag; it is removed at the end of the context.

    :raises EnvironmentFailure: this machine has no static busybox, or the engine does not import it
    """
    busybox = shutil.which("busybox", path="/bin:/usr/bin:/usr/local/bin")
    if busybox is None or not _is_static(busybox):
        raise EnvironmentFailure(
            "there is no image to try with, and no static busybox to make one of",
            "`sudo apt-get install busybox-static`, or name an image: `--image IMAGE`",
        )
    tag = f"sandboxd-throwaway:{secrets.token_hex(6)}"
    engine = connect(identity, _IMPORT_SECONDS)
    name, _, version = tag.partition(":")
    try:
        engine.import_image(_archive(busybox), name, version)
    except EngineFailure as error:
        raise EnvironmentFailure(f"the engine takes no image: {error.detail}") from None
    try:
        yield tag
    finally:
        with contextlib.suppress(EngineFailure):
            engine.remove_image(tag)


def _is_static(path: str) -> bool:
    with open(path, "rb") as file:
        return b"/ld-linux" not in file.read(4096)


def _archive(busybox: str) -> bytes:
    applets = subprocess.run(
        [busybox, "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in _FOLDERS:
            _add(archive, name, tarfile.DIRTYPE)
        _add(archive, "tmp", tarfile.DIRTYPE, mode=0o1777)
        _add(archive, "home", tarfile.DIRTYPE)
        _add(archive, "home/dev", tarfile.DIRTYPE, owner=1000)
        _add(archive, "etc/passwd", tarfile.REGTYPE, 0o644, data=_USERS.encode())
        _add(archive, "etc/group", tarfile.REGTYPE, 0o644, data=_GROUP.encode())
        with open(busybox, "rb") as file:
            _add(archive, "bin/busybox", tarfile.REGTYPE, data=file.read())
        for applet in applets:
            if applet != "busybox":
                _add(archive, f"bin/{applet}", tarfile.SYMTYPE, target="busybox")
    return buffer.getvalue()


def _add(
    archive: tarfile.TarFile,
    name: str,
    kind: bytes,
    mode: int = 0o755,
    owner: int = 0,
    data: bytes = b"",
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, len(data)
    entry.uid = entry.gid = owner
    archive.addfile(entry, io.BytesIO(data))
