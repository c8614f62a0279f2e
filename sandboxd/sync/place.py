"""The folder on the host with what is remembered of a kept copy; no sandbox sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from sandboxd.folders import workspace_file
from sandboxd.sync import folder


class Place(NamedTuple):
    """The folder, an absolute path; nothing in it need exist."""

    folder: str

    @property
    def record(self) -> str:
        """The path of the record of the container with the copy (`record`)."""
        return os.path.join(self.folder, "container.json")

    @property
    def journal(self) -> str:
        """The path of the common state of both sides (`journal`)."""
        return os.path.join(self.folder, "journal")

    @property
    def stamps(self) -> tuple[str, str]:
        """The paths of what the files of the host's side, and of the copy, held (`stamps`)."""
        return os.path.join(self.folder, "stamps-host"), os.path.join(self.folder, "stamps-inside")

    @property
    def state(self) -> str:
        """The path of the result of the last comparison (`last_state`)."""
        return os.path.join(self.folder, "state.json")

    @property
    def retention(self) -> str:
        """The folder with what was removed and overwritten on the host (`retention`)."""
        return os.path.join(self.folder, "kept")


def place_of(environ: Mapping[str, str], sandbox: str) -> Place:
    """The place of the sandbox with the identity `sandbox` (`model.sandbox_id`)."""
    return Place(workspace_file(folder(environ), sandbox, ""))
