"""Sends a workspace to a Pod in chunks; each is acknowledged, and sent again if the connection breaks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import failures, running, waiting
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.errors import EnvironmentFailure
from sandboxd.review import arrival, original

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.review.original import Manifest, Noted, Parcel

_TRIES = 6
_LONGEST_WAIT = 15.0
_SECONDS = 600.0
"""The time limit for one chunk."""
_MOST_OUTPUT = 4000
_MOST_LINES, _LONGEST_LINE = 3, 160


class Delivery:
    """Sends chunks to the Pod `uid` of a target, and adds what arrived to `manifest`."""

    def __init__(
        self,
        target: Target,
        uid: str,
        manifest: Manifest,
        say: Callable[[str], None],
        *,
        beside_work: bool = False,
    ) -> None:
        """:param beside_work: the sandbox may have worked there: no file may come in part, as if that were its work"""
        self._beside_work = beside_work
        self._target, self._uid, self._say = target, uid, say
        self._manifest = manifest
        self.files = self.size = 0
        """The count and bytes of what was sent; folders are not counted as files."""

    def send(self, parcels: Iterable[Parcel], total: int) -> None:
        """Send all chunks in their order.

        :param total: the approximate size of all files in bytes, for the progress message
        :raises EnvironmentFailure: the Pod does not accept one, or is unreachable for minutes
        """
        for parcel in parcels:
            words, data = arrival.command(
                parcel, self._target.folder, beside_work=self._beside_work
            )
            if words:
                self._run(words, data)
            if isinstance(parcel, original.Archive):
                self._arrived(parcel.noted, parcel.files, len(data))
            elif isinstance(parcel, original.Piece):
                self._arrived((), 0, len(data))
            else:
                self._arrived((parcel.noted,), 1, 0)
            self._progress(total)

    def _arrived(self, noted: Sequence[Noted], files: int, size: int) -> None:
        self._manifest.add(noted)
        self.files += files
        self.size += size

    def _progress(self, total: int) -> None:
        part = min(99, self.size * 100 // total) if total else 99
        self._say(f"copying the workspace: {part} % of {total / 1e6:.1f} MB")

    def _run(self, command: list[str], data: bytes) -> None:
        for attempt in range(_TRIES):
            try:
                if attempt:
                    self._require_the_same()
                code, words = run_with(self._target, command, data)
            except (PodGone, failures.Unreachable, TimeoutError) as error:
                if isinstance(error, _Ended):
                    raise
                why = "the Pod takes none" if isinstance(error, TimeoutError) else str(error)
            else:
                if not code:
                    return
                why = words or f"exit code {code}"
                # After a break the writer of before may be in the way for a moment.
                if not attempt:
                    break
            if attempt + 1 < _TRIES:
                self._say(f"copying goes on where it stopped, try {attempt + 2} of {_TRIES}: {why}")
                time.sleep(min(_LONGEST_WAIT, 2.0**attempt))
        raise EnvironmentFailure(
            f"the workspace could not be copied into the Pod: {why}",
            "the image needs `sh`, `head`, `tar` and `dd`; the volume has the size of the profile's copy",
        )

    def _require_the_same(self) -> None:
        """:raises _Ended: the Pod ended, or is another one: nothing of what was sent is there"""
        try:
            pod = waiting.require_running(self._target.cluster, self._target.pod)
        except PodGone as error:
            raise _Ended(error.message, error.hint) from None
        if pod["metadata"]["uid"] != self._uid:
            raise _Ended("the Pod became another one while the workspace was copied", "")


def run_with(target: Target, command: list[str], data: bytes) -> tuple[int, str]:
    """Run `command` in the Pod with `data` as its stdin; return its exit code and the beginning of its output.

    :raises TimeoutError: it did not end within ten minutes
    :raises PodGone: the connection broke
    """
    output = bytearray()

    def hear(_: int, piece: bytes) -> None:
        output.extend(piece[: max(0, _MOST_OUTPUT - len(output))])

    code = running.run(target.cluster, target.pod, command, data, _SECONDS, hear)
    return code, _first_lines(output.decode("utf-8", "replace"))


class _Ended(PodGone):
    """No further try is of use."""


def _first_lines(text: str) -> str:
    """The first lines of an output: tar says what failed first, and at its end only that something did."""
    lines = [" ".join(line.split())[:_LONGEST_LINE] for line in text.splitlines()]
    lines = [line for line in lines if line]
    more = f"; and {len(lines) - _MOST_LINES} lines more" if len(lines) > _MOST_LINES else ""
    return "; ".join(lines[:_MOST_LINES]) + more
