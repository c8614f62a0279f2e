"""A Pod that is a folder of this machine, whose commands run here; its connection can break."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from sandboxd.backends.kubernetes import records, running, waiting
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.records import Record
from sandboxd.backends.kubernetes.target import Target
from sandboxd.operations.on_cluster import _send
from sandboxd.operations.on_cluster import refresh as refreshing
from sandboxd.plan.hiding import NOTHING
from sandboxd.review import changes_inside, collect

TEAM = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")
UID = "uid-1"


class _Cluster(NamedTuple):
    context: Context


class Pod:
    """Its workspace is the folder `inside`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.inside, self.host = folder / "inside", folder / "host"
        for each in (self.inside, self.host):
            each.mkdir()
        self.uid = UID
        self.said: list[str] = []
        self.runs: list[list[str]] = []
        """Each command that got input."""
        self.breaks: list[int | None] = []
        """How much input each of the next commands gets before its connection breaks; None: all, and it does not."""
        self.environ = {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder / "home")}
        self.meanwhile: Callable[[], object] = int
        """What another process of the user does while a refresh compares."""
        patch.setattr(Target, "folder", property(lambda _: str(self.inside)))
        patch.setattr(running, "run", self._run)
        patch.setattr(running, "quietly", self._quietly)
        patch.setattr(waiting, "require_running", lambda *_: {"metadata": {"uid": self.uid}})
        patch.setattr(collect, "compare", self._compare)
        patch.setattr(time, "sleep", lambda _: None)

    @property
    def target(self) -> Target:
        cluster = cast("Any", _Cluster(TEAM))
        return Target(cluster, self.environ, str(self.host), str(self.host), "")

    def record(self) -> Record:
        found = records.recall(self.environ, TEAM, self.target.pod)
        assert found is not None
        return found

    def send(self) -> _send.Sent:
        """Copy the host's folder, and note it."""
        sent = _send.send(self.target, UID, NOTHING, self.said.append)
        noted = Record(
            UID, sent.started, str(self.inside), sent.manifest.listed, [], [],
            sent.manifest.times, sorted(sent.manifest.objects), sent.head,
        )  # fmt: skip
        records.note(self.environ, TEAM, self.target.pod, noted)
        return sent

    def refresh(self) -> refreshing.Refreshed:
        return refreshing.refresh(self.target, self.record().uid, NOTHING, self.said.append)

    def newer(self) -> refreshing.Newer:
        return refreshing.newer(self.target, self.record(), NOTHING)

    def _run(
        self, _cluster: object, _pod: str, command: Sequence[str], data: bytes, _seconds: float,
        write: Callable[[int, bytes], None],
    ) -> int:  # fmt: skip
        self.runs.append(list(command))
        cut = self.breaks.pop(0) if self.breaks else None
        done = subprocess.run(command, input=data[:cut], capture_output=True, check=False)
        if cut is not None:
            raise PodGone("the connection broke off")
        write(2, done.stderr)
        return done.returncode

    def _quietly(self, _cluster: object, _pod: str, command: Sequence[str]) -> tuple[int, str]:
        # Not what lets go on what was stopped: nothing was, and it would be asked of all processes here.
        words = [word.replace("kill -CONT -1", ":") for word in command]
        environ = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        done = subprocess.run(words, capture_output=True, text=True, env=environ, check=False)
        return done.returncode, done.stdout + done.stderr

    def _compare(
        self, _inside: object, copy: collect.Copy, _workspace: str, now: Mapping[str, Any]
    ) -> collect.Compared:
        self.meanwhile()
        out = io.BytesIO()
        assert copy.listed is not None
        vanished = collect.vanished(copy.listed, now)
        task = json.loads(json.dumps({"listed": copy.listed, "now": now, "vanished": vanished}))
        changes_inside.compare(out, task, os.fsencode(self.inside))
        answer = json.loads(out.getvalue())
        untouched = frozenset(answer["untouched"])
        same = frozenset(answer["same"]) - untouched
        return collect.Compared(untouched, same, frozenset(answer["held"]))


def tree(folder: Path, names: Iterable[str] = ()) -> dict[str, str]:
    """Files and links of a folder without git's, with their contents."""
    found = {}
    for each in sorted(folder.rglob("*")):
        name = str(each.relative_to(folder))
        if name.split("/")[0] != ".git" and not (each.is_dir() and not each.is_symlink()):
            found[name] = os.readlink(each) if each.is_symlink() else each.read_text("latin-1")
    return {name: found.get(name, "") for name in names} or found
