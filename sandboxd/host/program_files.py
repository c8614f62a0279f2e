"""The program files of runtimes on this machine."""

from __future__ import annotations

import os


def build_of(path: str) -> str:
    """A text that identifies the program file at `path` and changes when it is replaced; '' where there is none."""
    try:
        status = os.stat(locate(path))
    except OSError:
        return ""
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def locate(program: str) -> str:
    """The path of a program, '' if there is none; beside PATH, root's usual folders are searched."""
    folders = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin".split(":")
    places = [program] if "/" in program else [os.path.join(folder, program) for folder in folders]
    return next((p for p in places if os.access(p, os.X_OK) and os.path.isfile(p)), "")
