"""The lifecycle hooks that ran in a container, kept by workspace in the user's state folder.

Neither a label, which cannot change, nor a file inside, which the sandbox can write, would do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder
from sandboxd.model.remote import AT_ATTACH, AT_START, IN_ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    State = Literal["running", "done", "failed", "interrupted"]

_STATES = ("running", "done", "failed", "interrupted")


class Stage(NamedTuple):
    """The last run of the hooks of one stage, such as `postCreateCommand`."""

    state: State
    source: str = ""
    """Where the hook is defined that runs now, or that ended the run early; with the command's name if it has several.
    """
    code: int = 0
    """The exit code of that hook."""
    mark: str = ""
    """The environment variable, ``NAME=value``, by which its processes are found."""
    commands: str = ""
    """A digest of the commands that ran, for a stage that is done; '' where it is not known."""


class Record(NamedTuple):
    """The lifecycle hooks that ran in one container.

    `container` is its id, `started` the time of its start in the engine's spelling.
    """

    container: str
    started: str
    stages: Mapping[str, Stage] = {}
    left: tuple[str, ...] = ()
    """Stages that did not run, because an earlier one failed or because `up` was told not to wait for them."""

    def since(self, started: str, *, lasts: bool) -> Record:
        """The part of the record that still holds for a container started at `started`; the other hooks are due again.

        :param started: the start time as the engine writes it
        :param lasts: whether files that hooks wrote outside the workspace survive a stop
        """
        if started == self.started:
            return self
        once = {name: stage for name, stage in self.stages.items() if name not in _EACH_START}
        return Record(self.container, started, once if lasts else {})

    def with_stage(self, name: str, stage: Stage) -> Record:
        """A copy of the record in which the last run of the stage `name` is `stage`."""
        return self._replace(stages={**self.stages, name: stage})

    def lines(self) -> tuple[str, ...]:
        """Sentences about the hooks that failed and the stages that did not run; () where all ran well."""
        words = [
            f"`{name}` of {stage.source} {_fate(stage)}"
            for name in IN_ORDER
            if (stage := self.stages.get(name)) is not None and stage.state != "done"
        ]
        if self.left:
            words.append("not run: " + ", ".join(f"`{name}`" for name in self.left))
        return tuple(words)


_EACH_START = (AT_START, AT_ATTACH)


def keep(environ: Mapping[str, str], workspace: str, record: Record) -> None:
    """Save the record; if it cannot be written, the hooks run once more at the next `up`."""
    path = _path(environ, workspace)
    stages = {name: stage._asdict() for name, stage in record.stages.items()}
    document = {"workspace": workspace, **record._asdict(), "stages": stages}
    with contextlib.suppress(OSError, SandboxdError):
        write_private(path, json.dumps(document).encode())


def recall(environ: Mapping[str, str], workspace: str, container: str) -> Record | None:
    """The record of the container with this id; None when no hook ever ran in it."""
    try:
        document = json.loads(read_source(_path(environ, workspace)).text)
        if document["workspace"] != workspace or document["container"] != container:
            return None
        stages = {str(name): _stage(stage) for name, stage in document["stages"].items()}
        left = tuple(str(name) for name in document["left"])
        return Record(container, str(document["started"]), stages, left)
    except (SandboxdError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _stage(document: Mapping[str, object]) -> Stage:
    stage = Stage(**document)  # type: ignore[arg-type]
    if stage.state not in _STATES:
        raise ValueError(stage.state)
    return stage._replace(
        source=str(stage.source), mark=str(stage.mark), commands=str(stage.commands)
    )


def _fate(stage: Stage) -> str:
    if stage.state == "failed":
        return f"ended with exit code {stage.code}"
    return "runs" if stage.state == "running" else "was interrupted"


def _path(environ: Mapping[str, str], workspace: str) -> str:
    name = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:32]
    return os.path.join(state_folder(environ), "hooks", f"{name}.json")
