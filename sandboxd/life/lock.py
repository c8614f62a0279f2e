"""Locks between processes: one `up` or `down` per project and user, one change of rights per sandbox and engine (by its
address, then by the gateway's network, as one engine may have two addresses), one writer per gateway.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from sandboxd.deadline import looks_within
from sandboxd.engine.contexts import on_engine
from sandboxd.errors import EnvironmentFailure
from sandboxd.file_lock import LONGEST_SECONDS, open_lock
from sandboxd.folders import state_folder, workspace_file

_LOOK_SECONDS = 0.05
_RIGHTS_SECONDS, _START_SECONDS = LONGEST_SECONDS, 60.0
"""The longest waits for the rights locks: of who takes back, and of a start. Whoever starts a gateway holds them until it
answers, which takes some seconds on a busy machine."""
_GIVEN = "given this sandbox what it may have"
_MOST_NETWORKS = 256
"""One of so many files is locked for a network: networks come and go, and a lock that may be held is not removed. Two
with one file wait for each other."""
_TURN_SECONDS, _MOST_TURNS = 20.0, 64


@contextlib.contextmanager
def project_lock(
    workspace: str, waiting: Callable[[str], None], check: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the project's lock.

    :param workspace: the sandbox's identity
    :param waiting: called with a message if another process holds the lock
    :param check: called repeatedly while waiting; ends the wait by raising
    """
    with _open(workspace_file(_folder(), workspace, ".lock")) as descriptor:
        message = "another sandboxd works on this project; waiting for it"
        _lock([descriptor], lambda: waiting(message), check)
        yield


@contextlib.contextmanager
def rights_lock(
    environ: Mapping[str, str],
    sandbox: str,
    network: str = "",
    waiting: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold the lock under which a sandbox's rights are read and applied on one engine; it excludes other threads and
    processes.

    It is separate from the project's lock, so that a revocation does not wait for a start or an end; and each engine
    has its own, so that none waits for another one that hangs. With `network` that of the network is held as well, and
    neither while the other one is waited for: a start may wait for long, and nobody who takes back waits for that.

    :param environ: selects the engine
    :param sandbox: the sandbox's identity
    :param network: the id of its gateway's inner network, as in `network_rights_lock`; '' for the lock of the sandbox alone
    :param waiting: of a start, which takes nothing back and so may wait for longer: called with a message if another
        process holds a lock
    :raises EnvironmentFailure: a lock cannot be opened, or they are not free within the time limit
    """
    paths = [workspace_file(_folder(), on_engine(sandbox, environ), ".rights.lock")]
    paths += [_path_of_network(network)] if network else []
    seconds, message = _RIGHTS_SECONDS, ""
    if waiting is not None:
        seconds = _START_SECONDS
        message = "another sandboxd gives this sandbox what it may have; waiting for it"
    with _held(paths, seconds, _GIVEN, lambda: waiting(message) if waiting else None):
        yield


@contextlib.contextmanager
def network_rights_lock(network: str) -> Iterator[None]:
    """Hold the lock under which the gateway on one inner network is given what it may have, by whatever address its
    engine is reached.

    It may be taken within `rights_lock`, never the other way round. The network is there before its gateway, and stays
    when that is made anew.

    :param network: the network's id
    :raises EnvironmentFailure: as `rights_lock`
    """
    with _held([_path_of_network(network)], _RIGHTS_SECONDS, _GIVEN):
        yield


def _path_of_network(network: str) -> str:
    number = zlib.crc32(network.encode()) % _MOST_NETWORKS
    return os.path.join(_folder(), f"network-{number}.rights.lock")


@contextlib.contextmanager
def gateway_turn(container: str) -> Iterator[None]:
    """Be the only process of this user that writes to the gateway `container`.

    :raises EnvironmentFailure: another process does not release the lock within the time limit
    """
    # One of a few files: containers come and go, and a lock that may be held is not removed.
    number = zlib.crc32(container.encode()) % _MOST_TURNS
    path = os.path.join(_folder(), f"gateway-{number}.lock")
    with _held([path], _TURN_SECONDS, "spoken with the gateway"):
        yield


@contextlib.contextmanager
def _held(
    paths: Sequence[str],
    seconds: float,
    work: str,
    before_wait: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Hold the locks of files, none of them while another one is waited for.

    :param seconds: the longest wait for them
    :param work: what the other one does meanwhile, as a participle
    :param before_wait: called once if another process holds one
    :raises EnvironmentFailure: one cannot be opened, or they are not free within that time
    """
    check = _bound(seconds, work)
    with contextlib.ExitStack() as stack:
        _lock([stack.enter_context(_open(path)) for path in paths], before_wait, check)
        yield


def _bound(seconds: float, work: str) -> Callable[[], None]:
    """A function to call before each look, which raises once `seconds` have passed.

    :param work: what the other one has done for so long, as a participle
    """
    looks = looks_within(seconds)

    def check() -> None:
        if next(looks, None) is None:
            raise EnvironmentFailure(
                f"another sandboxd has {work} for more than {seconds:g} s",
                "run the command again; where a daemon hangs, `sandboxd daemon stop` ends it",
            )

    return check


@contextlib.contextmanager
def _open(path: str) -> Iterator[int]:
    try:
        descriptor = open_lock(path)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot open the lock `{path}`: {(error.strerror or str(error)).lower()}",
            "correct that: without it two commands could work on one project at a time",
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(
    descriptors: Sequence[int], before_wait: Callable[[], None], check: Callable[[], None]
) -> None:
    """Lock open files, at once or after a wait, before each look of which `check` may raise."""
    if _locks_all(descriptors):
        return
    before_wait()
    while True:
        check()
        if _locks_all(descriptors):
            return
        time.sleep(_LOOK_SECONDS)


def _locks_all(descriptors: Sequence[int]) -> bool:
    """Lock all of the open files, or none; returns whether they are locked."""
    for number, descriptor in enumerate(descriptors):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            for locked in descriptors[:number]:
                fcntl.flock(locked, fcntl.LOCK_UN)
            return False
    return True


def _folder() -> str:
    """A folder that only this user can write, so that nobody can hold or replace our locks.

    In the user's state: `XDG_RUNTIME_DIR` differs between the logins of one user, and then two of them would
    work on one project at a time.
    """
    folder = os.path.join(state_folder(os.environ), "locks")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot make the folder `{folder}`: {(error.strerror or str(error)).lower()}",
            "set XDG_STATE_HOME to a folder that you can write",
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise EnvironmentFailure(
            f"the folder `{folder}` can be written by others", f"`chmod 700 {folder}`"
        )
    return folder
