"""The failures of an engine, with messages and hints for people."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.engine.unreachable import WORDS, case_of, words
from sandboxd.errors import EnvironmentFailure


class EngineFailure(EnvironmentFailure):
    """The engine cannot be reached, or refuses a request."""

    case = ""
    """A key of `unreachable.WORDS`, or the HTTP status of the answer (`404`)."""
    detail = ""
    """The cause, for a person; for an answer with an error status, the engine's own message."""


class ContainerGone(EngineFailure):
    """The container does not exist, or does not run any more."""


class NoAnswer(EngineFailure):
    """The engine did not answer in time: it hangs, or the container hangs that it was asked about."""


class StillEnding(EngineFailure):
    """The engine signalled a container to end, and its main process did not end in time."""


class NameTaken(EngineFailure):
    """Another container already has the name."""


class CannotStart(EngineFailure):
    """The engine made the container, but its runtime could not start it."""


_CANNOT_LAUNCH = ("no space left on device", "did not terminate successfully")
"""In the words of an engine whose runtime fails by itself."""


def launch_failure(words: str) -> CannotLaunch | None:
    """The failure if the container runtime itself failed; None if the program is missing or may not be executed.

    :param words: the engine's message, beginning with ``OCI runtime exec failed: ``
    """
    if not any(sign in words for sign in _CANNOT_LAUNCH):
        return None
    return CannotLaunch(" ".join(words.partition(": ")[2].split())[:300])


class CannotLaunch(EngineFailure):
    """The runtime cannot start programs in a running container, for example because the disk is full.

    :param words: the engine's message
    """

    def __init__(self, words: str) -> None:
        super().__init__(
            f"the engine starts no program in the sandbox: {words}",
            "free some space if its disk is full (`docker system df`), then run the command again: nothing of the "
            "sandbox is lost",
        )


class SourceMissing(CannotStart):
    """A file or folder to mount does not exist on the engine's machine; `path` is its path."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"the folder or file `{path}` to mount is not there",
            "create it, or run `sandboxd up` again so that the plan is made anew",
        )
        self.path = path


def unreachable(host: str, error: BaseException, waited: float) -> EngineFailure:
    """The failure if the request to the engine at `host` ended with `error` and without an answer.

    :param waited: the time limit of the answer, in seconds
    """
    return _unreachable(host, *case_of(error, waited))


def bad_address(host: str) -> EngineFailure:
    """The failure if the engine's address is of a kind that cannot be used from here."""
    if host.startswith("context:"):
        return _unreachable(host, "context", host.removeprefix("context:"))
    return _unreachable(host, "address", host)


def _unreachable(host: str, case: str, detail: str) -> EngineFailure:
    kind = NoAnswer if case == "hanging" else EngineFailure
    return _with(kind(*words(case, host, detail)), case, detail)


def _with(failure: EngineFailure, case: str, detail: str) -> EngineFailure:
    failure.case, failure.detail = case, detail
    return failure


class LostInit(CannotStart):
    """The runtime lost the process that it had just made for the container, before any program of the container ran."""


_LOST_INIT = "waiting for init preliminary setup: read init-p: connection reset by peer"
"""What runc says then (1.1 to 1.3)."""


def _not_started(words: str) -> CannotStart:
    kind = LostInit if _LOST_INIT in words.lower() else CannotStart
    return kind(
        f"the runtime could not start the container: {words}",
        "`sandboxd doctor` shows which runtimes work on this machine",
    )


class _Case(NamedTuple):
    pattern: str
    make: Callable[[re.Match[str]], EngineFailure]


_CASES = (
    _Case(
        r"no space left on device",
        lambda _: EngineFailure(
            "the container engine has no disk space left",
            "free some (`docker system df`, then `docker system prune`) and run the command again",
        ),
    ),
    _Case(
        r"no such image: ?([^\s]+)|unable to find image '?([^\s']+)",
        lambda m: image_missing(m[1] or m[2]),
    ),
    _Case(
        r"unknown or invalid runtime name: ?([^\s]+)|unknown runtime specified ([^\s]+)",
        lambda m: EngineFailure(
            f"the container engine has no runtime `{m[1] or m[2]}`",
            "`sandboxd doctor` lists the runtimes it has and how to register one",
        ),
    ),
    _Case(
        r"container name \"?/?([^\s\"]+)\"? is already in use",
        lambda m: NameTaken(
            f"a container named `{m[1]}` exists that sandboxd did not make",
            f"remove it (`docker rm {m[1]}`) or rename it (`docker rename {m[1]} NAME`)",
        ),
    ),
    _Case(
        # Before the case of an image's program, as its message ends like that one's.
        r"could not find pasta\b",
        lambda _: EngineFailure(
            "no network can be made: the machine of this Podman has no program `pasta`",
            "`sudo apt-get install passt`, then run the command again",
        ),
    ),
    _Case(
        r"exec: \"([^\"]+)\": .*(?:not found|no such file)|"
        r"error finding executable \"([^\"]+)\"|failed to load ([^\s:]+): no such file",
        lambda m: CannotStart(
            f"the image has no program `{m[1] or m[2] or m[3]}`",
            "use an image with it, or check the command's spelling",
        ),
    ),
    _Case(
        r"fork/exec ([^\s:]+): (.*?)(?:: unknown)?$",
        lambda m: CannotStart(
            f"the runtime's program `{m[1]}` cannot be started: {m[2]}",
            "`sandboxd doctor` shows which runtimes work on this machine",
        ),
    ),
    _Case(
        r"bind source path does not exist: ?(.+)$|error mounting \"([^\"]+)\"",
        lambda m: SourceMissing(m[1] or m[2]),
    ),
    _Case(
        r"could not kill: (.+)$",
        lambda m: StillEnding(
            f"the container engine does not see a container end: {m[1]}",
            "run the command again: it may have ended since",
        ),
    ),
    _Case(
        r"netavark: .{0,80}unable to execute (nft|iptables)\b",
        lambda m: EngineFailure(
            f"no network can be made: the machine of this Podman has no program `{m[1]}`",
            f"`sudo apt-get install {'nftables' if m[1] == 'nft' else m[1]}`, then run the command again",
        ),
    ),
    _Case(
        r"network ([^\s]+) not found",
        lambda m: EngineFailure(
            f"the container engine has no network `{m[1]}`",
            f"create it: `docker network create {m[1]}`",
        ),
    ),
    _Case(
        r"container ([0-9a-f]+|[^\s]+) is not running|no such (?:container|exec)|"
        r"cannot exec in a stopped|container .* is (?:paused|restarting)",
        lambda _: gone(),
    ),
    _Case(r"oci runtime create failed: (.*?)(?:: unknown)?$", lambda m: _not_started(m[1])),
    _Case(
        r"failed to create (?:shim )?task(?: for container)?: (.*?)(?:: unknown)?$",
        lambda m: _not_started(m[1]),
    ),
)


_LONGEST = 4_000
"""Characters of an engine's message that are read: a container chooses parts of it."""


def is_silence(failure: EngineFailure) -> bool:
    """Whether no engine answered: it hangs, is being restarted, or is gone."""
    return isinstance(failure, NoAnswer) or failure.case in WORDS


def refused(status: int, words: str) -> EngineFailure:
    """The failure in an answer with an error status.

    :param words: the engine's message
    """
    for case in _CASES:
        match = re.search(case.pattern, words[:_LONGEST], re.IGNORECASE)
        if match is not None:
            return _with(case.make(match), str(status), words)
    failure = EngineFailure(
        f"the container engine refused the request: {words or status}",
        "`sandboxd explain-plan` shows what was asked for",
    )
    return _with(failure, str(status), words)


class ImageMissing(EngineFailure):
    """The engine has no image of the name that is asked for."""

    option = "--pull"


def image_missing(image: str) -> ImageMissing:
    """The failure if the engine has no image of this name."""
    return ImageMissing(
        f"the container engine has no image `{image}`",
        f"get it (`docker pull {image}`; `up` and `agent` do so with `--pull`), build it, or load a root file system "
        f"(`docker import FILE.tar {image}`)",
    )


def gone() -> ContainerGone:
    """The failure if the container does not exist or does not run."""
    return ContainerGone(
        "the sandbox is not running (any more)",
        "`sandboxd up` starts it; `sandboxd logs` shows its last words",
    )
