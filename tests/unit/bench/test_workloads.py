"""What a bench runs, in which order, and that each workload can be run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from sandboxd.bench import workload_list

COSTS_LITTLE = ["computing", "system_calls", "starting_processes", "local_connections"]


def test_what_costs_little_comes_before_the_files_of_the_workspace() -> None:
    names = [workload.name for workload in workload_list.load()]
    assert names[: len(COSTS_LITTLE)] == COSTS_LITTLE
    assert names[len(COSTS_LITTLE) :] == sorted(set(names) - set(COSTS_LITTLE))


def test_each_workload_runs_and_can_be_repeated(tmp_path: Path) -> None:
    for workload in workload_list.load():
        module = import_module(f"sandboxd.bench.workloads.{workload.name}")
        module.prepare(str(tmp_path))
        module.once(str(tmp_path))
        module.once(str(tmp_path))
