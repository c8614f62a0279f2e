"""A small image made from this machine's own busybox: no registry is needed."""

from __future__ import annotations

import io
import subprocess
import tarfile

from tools.engine.packages import find_program
from tools.engine.runtimes import static_busybox

BUSYBOX_TAG = "sandboxd-busybox:1"

_FOLDERS = ("bin", "etc", "root", "proc", "sys", "dev", "run", "usr", "usr/bin", "var")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n",
    "etc/group": "root:x:0:\ndev:x:1000:\n",
    "etc/os-release": 'ID=busybox\nPRETTY_NAME="busybox, imported by sandboxd"\n',
}


def import_busybox_image(docker_host: str, tag: str = BUSYBOX_TAG) -> str:
    """Import the image into an engine; returns the tag.

    It has root and `dev` (uid 1000), /workspace and every busybox applet.

    :raises RuntimeError: there is no static busybox or no docker client, or the engine refuses
    """
    busybox, docker = static_busybox(), find_program("docker")
    if busybox is None or docker is None:
        raise RuntimeError("`docker` or a static `busybox` is missing: install busybox-static")
    settings = ["-c", 'CMD ["/bin/sh"]', "-c", "ENV PATH=/bin"]
    done = subprocess.run(
        [docker, "-H", docker_host, "import", *settings, "-", tag],
        input=make_archive(busybox),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`docker import` failed: {done.stderr.decode(errors='replace')}")
    return tag


def make_archive(busybox: str) -> bytes:
    """The files of the image as a tar archive.

    :param busybox: the path of a static one
    """
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in _FOLDERS:
            _add(archive, name, tarfile.DIRTYPE)
        _add(archive, "tmp", tarfile.DIRTYPE, mode=0o1777)
        _add(archive, "home", tarfile.DIRTYPE)
        for name in ("home/dev", "workspace"):
            _add(archive, name, tarfile.DIRTYPE, owner=1000)
        for name, text in _FILES.items():
            _add(archive, name, tarfile.REGTYPE, mode=0o644, data=text.encode())
        with open(busybox, "rb") as file:
            _add(archive, "bin/busybox", tarfile.REGTYPE, data=file.read())
        for applet in applets.split():
            if applet != "busybox":
                _add(archive, f"bin/{applet}", tarfile.SYMTYPE, target="busybox")
        _add(archive, "usr/bin/env", tarfile.SYMTYPE, target="/bin/busybox")
    return buffer.getvalue()


def _add(
    archive: tarfile.TarFile,
    name: str,
    kind: bytes,
    *,
    mode: int = 0o755,
    owner: int = 0,
    data: bytes = b"",
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, len(data)
    entry.uid = entry.gid = owner
    archive.addfile(entry, io.BytesIO(data))
