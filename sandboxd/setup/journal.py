"""The journal of a setup: each step that begins or ends is written to disk beforehand.

Each event is one line of JSON, flushed to disk; an incomplete last line is ignored.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

from sandboxd.setup.step import State


class Journal:
    """The journal in `folder`; it exists from the first step until everything was undone."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._path = os.path.join(folder, "journal.jsonl")
        self.options: dict[str, Any] | None = None
        self.begun: dict[str, State] = {}
        self.results: dict[str, State] = {}
        self.undone: set[str] = set()
        self.complete = False
        self.undoing = False
        for entry in self._entries():
            self._take(entry)

    @property
    def exists(self) -> bool:
        return self.options is not None

    @property
    def interrupted(self) -> bool:
        """Whether a run ended before its last step."""
        return self.exists and (self.undoing or not self.complete)

    def start(self, options: dict[str, Any]) -> None:
        """Create the journal with `options`; an existing journal keeps its own options."""
        if not self.exists:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            self._write({"options": options})

    def begin(self, step: str, state: State) -> None:
        self._write({"begin": step, "state": state})

    def record_result(self, step: str, result: State) -> None:
        self._write({"done": step, "result": result})

    def finish(self) -> None:
        self._write({"complete": True})

    def start_undo(self) -> None:
        if not self.undoing:
            self._write({"undoing": True})

    def did_undo(self, step: str) -> None:
        self._write({"undone": step})

    def remove(self) -> None:
        """Remove the journal, once the machine is as it was before."""
        # The journal is removed last: without it, leftovers would not be recognised.
        for name in os.listdir(self.folder):
            if name != os.path.basename(self._path):
                path = os.path.join(self.folder, name)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                else:
                    os.unlink(path)
        shutil.rmtree(self.folder)
        parent = os.path.dirname(self.folder)
        while True:
            try:
                os.rmdir(parent)
            except OSError:
                return
            parent = os.path.dirname(parent)

    def _entries(self) -> list[dict[str, Any]]:
        try:
            with open(self._path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        entries = []
        for line in text.splitlines():
            try:
                entries.append(json.loads(line))
            except ValueError:
                break
        return entries

    def _take(self, entry: dict[str, Any]) -> None:
        if "options" in entry:
            self.options = entry["options"]
        elif "begin" in entry:
            self.begun[entry["begin"]] = entry["state"]
            self.complete = False
        elif "done" in entry:
            self.results[entry["done"]] = entry["result"]
        elif "complete" in entry:
            self.complete = True
        elif "undoing" in entry:
            self.undoing = True
        elif "undone" in entry:
            self.undone.add(entry["undone"])

    def _write(self, entry: dict[str, Any]) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            line = json.dumps(entry).encode() + b"\n"
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                # A line that was cut off when the machine or the run ended: it never happened.
                text = os.pread(descriptor, size, 0)
                os.ftruncate(descriptor, text.rfind(b"\n") + 1)
                os.lseek(descriptor, 0, os.SEEK_END)
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self.folder)
        self._take(entry)


def sync_folder(path: str) -> None:
    """Flush a folder to disk, so that its entries survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
