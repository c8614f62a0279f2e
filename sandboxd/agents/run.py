"""The last run of an agent in its session, recorded in a file of the session.

The client to which the agent is connected holds a lock on the file. The file contains the mark of the agent's
processes until the agent has ended; so a mark without a lock means that the client was killed, or lost its
connection.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.agents.session import Session

State = Literal["at work", "interrupted", "ended", "not started"]
"""Of a session's agent. `interrupted`: its end was not seen, and no client is connected to it."""

VARIABLE = "SANDBOXD_AGENT_RUN"
"""The environment variable that marks the agent's processes; its value differs for each run."""

_TRIES, _PAUSE_SECONDS = 5, 0.05
_TOKEN = re.compile(rb"[0-9a-f]{16}")


class Run(NamedTuple):
    """The last run of a session, as far as the host knows.

    `since` is when it ended, or when it began if its end was not seen, in seconds since 1970; `is_attended` tells
    whether a client is connected to it; `mark` is the variable of processes that may still run, ``NAME=value``, ''
    once the agent was seen to end.
    """

    since: float
    is_attended: bool
    mark: str

    @property
    def is_interrupted(self) -> bool:
        """Whether its end was not seen, and no client is connected to it."""
        return bool(self.mark) and not self.is_attended


@contextlib.contextmanager
def at_work(own: Session) -> Iterator[None]:
    """Hold the session's lock for the block, in which its agent runs.

    :raises UsageError: the session's agent runs already
    """
    descriptor = os.open(_path(own), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _is_locked(descriptor):
            raise UsageError(
                f"`{own.name}` is at work on `{own.project}`",
                f"a second one beside it: `sandboxd agent {own.agent} --name {own.name}-2`",
            )
        os.utime(descriptor)
        yield
    finally:
        os.close(descriptor)


def begin(own: Session) -> str:
    """Record that the agent is being started; returns the variable for its processes, ``NAME=value``.

    The caller holds the lock of `at_work`.

    :raises OSError: it cannot be recorded
    """
    token = secrets.token_hex(8)
    descriptor = os.open(_path(own), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, token.encode(), 0)
        # The engine and what runs inside may outlive this machine's sudden end.
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return f"{VARIABLE}={token}"


def end(own: Session) -> None:
    """Record that the agent has ended; the caller holds the lock of `at_work`."""
    with contextlib.suppress(OSError):
        os.truncate(_path(own), 0)


def last(own: Session) -> Run | None:
    """The last run; None where no agent of the session was ever started. It does not wait for the lock."""
    # Not above: `status` and the language server are imported where there is no such module.
    import fcntl

    try:
        with open(_path(own), "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                is_attended = False
            except OSError:
                is_attended = True
            since = os.fstat(file.fileno()).st_mtime
            token = _TOKEN.fullmatch(file.read(64))
    except OSError:
        return None
    return Run(since, is_attended, f"{VARIABLE}={token[0].decode()}" if token else "")


def state(last: Run | None) -> State:
    """The state of a session's agent by its last run; None if it was never started."""
    if last is None:
        return "not started"
    if last.is_attended:
        return "at work"
    return "interrupted" if last.is_interrupted else "ended"


def _is_locked(descriptor: int) -> bool:
    """Lock the file, retrying since `last` locks it for a moment; False if another process keeps the lock."""
    import fcntl

    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _path(own: Session) -> str:
    return os.path.join(own.folder, "lock")
