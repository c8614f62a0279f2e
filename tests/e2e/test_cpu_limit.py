"""The limit of processors holds under both runtimes: what a busy sandbox is given, counted by the host."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.engine.execute import Exec, run_quietly
from sandboxd.host.facts import HostFacts
from sandboxd.observe import surroundings
from tests.e2e import sandboxes
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

# Twice as many busy loops as there are processors.
BUSY = "for i in $(seq {count}); do while :; do :; done & done"


def used(inspected: dict[str, object]) -> float:
    """Seconds of processor time that everything in the sandbox had."""
    folder = surroundings._control_group(inspected["State"]["Pid"], "cpuacct")  # type: ignore[index]
    legacy = Path(folder, "cpuacct.usage")
    if legacy.exists():
        return int(legacy.read_text()) / 1e9
    lines = Path(folder, "cpu.stat").read_text().splitlines()
    return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6


def test_a_busy_sandbox_gets_no_more_than_its_share(
    api: Engine, project: Path, host_facts: HostFacts
) -> None:
    plan = sandboxes.plan_of(project, host_facts)
    assert plan.container.cpus is not None
    # Far less than any machine has, so that the machine's own load cannot be what holds it.
    small = int(0.3e9)
    with sandboxes.container(api, plan, sandboxes.host_config(NanoCpus=small)) as running:
        inspected = api.inspect(running)
        assert surroundings.group_processors(inspected) == pytest.approx(0.3)
        script = BUSY.format(count=2 * (os.cpu_count() or 1))
        run_quietly(api, running, Exec(["sh", "-c", f"({script}) >/dev/null 2>&1"]))
        # The clock is read outside: where this process stands still the share looks smaller, not larger.
        start, before = time.monotonic(), used(inspected)
        time.sleep(1)
        # On a busy machine it may not have had anything yet.
        eventually(lambda: used(inspected) > before + 0.1)
        share = (used(inspected) - before) / (time.monotonic() - start)
    # A period of 100 ms at either end may be counted with it.
    assert share < 0.45
