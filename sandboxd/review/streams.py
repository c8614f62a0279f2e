"""Limits for saved streams: how many of each sandbox, and their total size."""

from __future__ import annotations

import contextlib
import os
import time

from sandboxd.review.collect import TOTAL_SECONDS
from sandboxd.review.stream_files import SUFFIX, UNFINISHED, every, folder

MOST_OF_A_SANDBOX = 5
MOST_BYTES = 2 << 30
"""The total size for all projects, in bytes; the newest stream of each sandbox stays even if it is larger."""


def prune() -> list[str]:
    """Remove the oldest streams above the limits, never the newest of a sandbox; return sentences about those removed.

    Unfinished files are removed without a message, as they contain nothing complete.
    """
    _remove_unfinished()
    counts: dict[str, int] = {}
    total = 0
    messages = []
    for stream in every():
        rank = counts[stream.sandbox] = counts.get(stream.sandbox, 0) + 1
        total += stream.size
        if rank == 1 or (rank <= MOST_OF_A_SANDBOX and total <= MOST_BYTES):
            continue
        why = (
            f"only the newest {MOST_OF_A_SANDBOX} of a sandbox are kept"
            if rank > MOST_OF_A_SANDBOX
            else f"all that is kept has {MOST_BYTES >> 30} GiB at most"
        )
        total -= stream.size
        with contextlib.suppress(OSError):
            os.unlink(stream.path)
            messages.append(f"removed the older `{stream.path}`: {why}")
    return messages


def _remove_unfinished() -> None:
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder()):
            if entry.name.endswith(SUFFIX + UNFINISHED):
                with contextlib.suppress(OSError):
                    age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                    # The time counts from the last byte that was written.
                    if age > TOTAL_SECONDS:
                        os.unlink(entry.path)
