"""The smallest image with which a container can prove which kernel it runs on.

It is made on the fly, so that a new machine without a registry can be judged: one program of 250
bytes that prints the kernel's boot id and version. On other processors than x86-64 a static
busybox of the host is used.
"""

from __future__ import annotations

import io
import os
import shutil
import struct
import tarfile

_PATHS = ("/proc/sys/kernel/random/boot_id", "/proc/version")

# show: open(rdi, 0); read(fd, stack, 512); write(1, stack, count); ret
_SHOW = bytes.fromhex(
    "31f6 b802000000 0f05 89c7 4881ec00020000 4889e6 ba00020000 31c0 0f05"
    "89c2 4889e6 bf01000000 b801000000 0f05 4881c400020000 c3"
)
_EXIT = bytes.fromhex("31ff b8e7000000 0f05")
_LOAD_ADDRESS = 0x400000
_HEADERS = 64 + 56


def trial_archive(architecture: str) -> bytes | None:
    """A tar archive of a root file system with the program `/show`; None where there is no program for that
    processor.

    :param architecture: the engine's, as `docker info` names it
    """
    if architecture in ("x86_64", "amd64"):
        return _tar({"show": _program()})
    busybox = shutil.which("busybox")
    if busybox is None or os.uname().machine != architecture or not _is_static(busybox):
        return None
    with open(busybox, "rb") as file:
        return _tar({"busybox": file.read()})


def empty_archive() -> bytes:
    """A tar archive of a root file system with only the folders that a container needs."""
    return _tar({})


def trial_command(architecture: str) -> list[str]:
    """The command to run in the image of `trial_archive`."""
    if architecture in ("x86_64", "amd64"):
        return ["/show"]
    return ["/busybox", "cat", *_PATHS]


def _program() -> bytes:
    # Each call takes 7 bytes to load the path's address and 5 to call `show`.
    code_size = len(_PATHS) * 12 + len(_EXIT) + len(_SHOW)
    strings, addresses = b"", []
    for path in _PATHS:
        addresses.append(code_size + len(strings))
        strings += path.encode() + b"\0"
    code = b""
    for address in addresses:
        code += b"\x48\x8d\x3d" + struct.pack("<i", address - len(code) - 7)
        code += b"\xe8" + struct.pack("<i", code_size - len(_SHOW) - len(code) - 5)
    return static_program(code + _EXIT + _SHOW + strings)


def static_program(code: bytes) -> bytes:
    """An x86-64 Linux program that starts with the first byte of `code`."""
    size = _HEADERS + len(code)
    start = _LOAD_ADDRESS + _HEADERS
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, start, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code


def show_program() -> bytes:
    """The x86-64 program that prints the kernel's boot id and version."""
    return _program()


def _is_static(path: str) -> bool:
    with open(path, "rb") as file:
        return b"/ld-linux" not in file.read(4096)


def _tar(programs: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("proc", "sys", "dev", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, content in programs.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
