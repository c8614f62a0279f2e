"""Finds the decoy of a sandbox, a worthless token in place of a secret, in requests that leave it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sandboxd.egress import placeholder


def is_carried(
    method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]], decoys: Sequence[str]
) -> bool:
    """Whether the head of a request holds one of `decoys`, in a spelling that `placeholder` knows."""
    texts = [each.encode() for each in decoys]
    return bool(texts) and placeholder.holds(method, target, headers, texts)


class Search:
    """Finds decoys, or other texts, in bytes that arrive in pieces, wherever the pieces are cut."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [each.encode() for each in texts]
        self.text = ""
        """The text that `feed` found first, '' before."""
        self._longest = max(map(len, self._texts), default=0)
        self._end = b""

    def feed(self, data: bytes) -> bool:
        """Whether one of the texts ends in `data`."""
        if not self._texts:
            return False
        # A piece of megabytes is not copied for the few bytes before it.
        seam = self._end + data[: self._longest]
        self._end = (
            (self._end + data)[-self._longest :]
            if len(data) < self._longest
            else data[-self._longest :]
        )
        match = next((text for text in self._texts if text in data or text in seam), b"")
        self.text = self.text or match.decode()
        return bool(match)
