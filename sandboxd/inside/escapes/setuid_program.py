"""Become root by a setuid program; no-new-privileges is what stops it.

A program of the image is started as an ordinary user and ended at once; its effective user is read
from /proc. Root without one makes a setuid copy of an own program in the temporary folder.
"""

from __future__ import annotations

import glob
import os
import signal
import stat
import time
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, read_text, scratch_folder

TITLE = "gain root by a setuid program"
JUDGE = "surface"
LAST = True
EXPECTED = {"runc": "no-new-privileges", "runsc": "setuid bits are not honoured"}

_NOBODY = 65534
_SETGID_AND_SETUID = 1 << 6 | 1 << 7
_WATCH_SECONDS = 0.5


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if os.geteuid() == 0 and not _can_change_user():
        raise NotApplicable("root cannot become an ordinary user here, who would gain by it")
    planted = ""
    program = _setuid_program()
    if not program:
        if os.geteuid() != 0:
            raise NotApplicable("the image has no setuid program")
        folder = scratch_folder()
        os.chmod(folder, 0o755)
        planted = program = os.path.join(folder, "program")
        with open("/proc/self/exe", "rb") as own, open(program, "wb") as copy:
            copy.write(own.read())
        os.chmod(program, 0o4755)
    try:
        user = _effective_user(program)
    finally:
        if planted:
            os.unlink(planted)
            os.rmdir(os.path.dirname(planted))
    if user != "0":
        raise PermissionError(f"it ran as user {user}")
    return {"detail": f"{program} runs as root"}


def _can_change_user() -> bool:
    for line in read_text("/proc/self/status").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16) & _SETGID_AND_SETUID == _SETGID_AND_SETUID
    return False


def _setuid_program() -> str:
    for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/lib/openssh"):
        for path in glob.glob(folder + "/*"):
            try:
                status = os.lstat(path)
            except OSError:
                continue
            mask = stat.S_ISUID | stat.S_IXOTH
            of_root = stat.S_ISREG(status.st_mode) and status.st_uid == 0
            if of_root and status.st_mode & mask == mask:
                return path
    return ""


def _effective_user(program: str) -> str:
    """The effective user that `program` ran as; a zombie's is still shown until it is collected."""
    started_read, started_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(started_read)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(_NOBODY)
                os.setuid(_NOBODY)
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            os.set_inheritable(started_write, False)
            os.execv(program, [os.path.basename(program), "--version"])
        finally:
            os.write(started_write, b"x")
            os._exit(127)
    os.close(started_write)
    try:
        if os.read(started_read, 1):
            raise PermissionError(f"{program} cannot be started")
        return _watch(pid)
    finally:
        os.close(started_read)
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
        os.waitpid(pid, 0)


def _watch(pid: int) -> str:
    """The effective user of a process, watched until it is root or has ended.

    The kernel closes our pipe a moment before it gives the new program its rights.
    """
    user = ""
    end = time.monotonic() + _WATCH_SECONDS
    while time.monotonic() < end:
        status = dict(
            line.split(":", 1)
            for line in read_text(f"/proc/{pid}/status").splitlines()
            if ":" in line
        )
        user = status["Uid"].split()[1] if "Uid" in status else user
        if user == "0" or status.get("State", "Z").strip().startswith("Z"):
            break
        time.sleep(0.005)
    if not user:
        raise OSError("its user cannot be seen")
    return user
