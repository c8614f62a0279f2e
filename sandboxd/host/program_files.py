"""Programs that an engine starts, as files of this machine."""

from __future__ import annotations

import os


def build_of(path: str) -> str:
    """An identity of the program at `path`, which changes when it is replaced; '' where there is none."""
    try:
        status = os.stat(locate(path))
    except OSError:
        return ""
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def locate(program: str) -> str:
    """The path of a program, '' if there is none; folders of root's PATH are searched, too."""
    folders = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin".split(":")
    places = [program] if "/" in program else [os.path.join(folder, program) for folder in folders]
    return next((p for p in places if os.access(p, os.X_OK) and os.path.isfile(p)), "")
