"""A cache of answers about this machine, in one private file that may be deleted at any time."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from sandboxd.errors import EnvironmentFailure
from sandboxd.files import write_private
from sandboxd.folders import cache_folder

# Only the entries that were used last are saved: engines and runtimes come and go.
_ENTRIES = 200


class Memory:
    """Values by key; `save` writes the file if any is new. A file that cannot be read counts as empty."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._changed = False
        self._values: dict[str, Any] = {}
        if path is not None:
            with contextlib.suppress(OSError, ValueError, RecursionError):
                with open(path, "rb") as file:
                    data = json.loads(file.read(1 << 21))
                self._values = data if isinstance(data, dict) else {}

    def get(self, key: str) -> Any:
        """The value of `key`, None if there is none."""
        return self._values.get(key)

    def put(self, key: str, value: Any) -> None:
        if self._values.get(key) != value:
            self._values.pop(key, None)
            self._values[key] = value
            self._changed = True

    def save(self) -> None:
        if self._path is None or not self._changed:
            return
        newest = dict(list(self._values.items())[-_ENTRIES:])
        with contextlib.suppress(OSError, EnvironmentFailure):
            write_private(self._path, json.dumps(newest, indent=1).encode())
        self._changed = False


def open_memory(environ: Mapping[str, str]) -> Memory:
    """The cache of this user; without a home nothing is stored."""
    folder = cache_folder(environ)
    return Memory(None if folder is None else os.path.join(folder, "trials.json"))
