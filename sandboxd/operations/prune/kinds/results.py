"""Changes of private copies that were saved when their sandbox ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.model.sandbox_id import describe
from sandboxd.operations.prune.entry import Entry
from sandboxd.review import stream_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine

ORDER = 5


def find(_engine: Engine, _environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield each saved file that begins with our header."""
    for stream in stream_files.every():
        yield Entry(
            "result",
            stream.path,
            f"of {describe(stream.sandbox)}",
            stream.size,
            "work",
            lambda path=stream.path: _free(path),  # type: ignore[misc]
        )


def _free(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
