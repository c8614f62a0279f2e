"""What a bench runs, in which order, and that each workload can be run."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sandboxd.bench import workload_list
from sandboxd.inside.workloads import large_file, starting_processes

COSTS_LITTLE = ["computing", "system_calls", "starting_processes", "local_connections"]


def test_what_costs_little_comes_before_the_files_of_the_workspace() -> None:
    names = [workload.name for workload in workload_list.load()]
    assert names[: len(COSTS_LITTLE)] == COSTS_LITTLE
    assert names[len(COSTS_LITTLE) :] == sorted(set(names) - set(COSTS_LITTLE))


def test_each_workload_runs_and_can_be_repeated(tmp_path: Path) -> None:
    for workload in workload_list.load():
        module = import_module(f"sandboxd.inside.workloads.{workload.name}")
        module.prepare(str(tmp_path))
        module.once(str(tmp_path))
        module.once(str(tmp_path))


def test_a_process_that_a_workload_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    start = os.posix_spawn

    def spawn(*words: Any) -> int:
        started.append(start(*words))
        return started[-1]

    monkeypatch.setattr(os, "posix_spawn", spawn)
    starting_processes.once("")
    [process] = started
    with pytest.raises(ChildProcessError):
        os.waitpid(process, os.WNOHANG)


def test_the_large_file_is_as_large_as_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "unlink", lambda path: sizes.append(os.path.getsize(path)))
    large_file.once(str(tmp_path))
    assert sizes == [8 * 1024 * 1024]
    assert large_file.UNIT.startswith("8 MiB")
