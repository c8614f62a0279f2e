"""Another tool's word on our sandboxes under runc: cepheus-engine, which tries what it finds possible.

Under gVisor it is not asked: it goes by error numbers and capability bits, which mean something else
there, and takes half a minute to refute itself (docs/decisions/0011).
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from tests.e2e.sandboxes import ROOT, Change, container, host_config, make_project, plan_of
from tools import second_opinion

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.mark.parametrize(
    ("profile", "changes", "broken"),
    [
        ("dev", [], False),
        ("agent", [], False),
        # It does find what is open: its silence means something.
        ("dev", [host_config(Privileged=True), ROOT], True),
    ],
    ids=["dev", "agent", "privileged"],
)
def test_another_program_finds_nothing_in_our_profiles(
    api: Engine,
    engine: str,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    profile: str,
    changes: list[Change],
    broken: bool,
) -> None:
    if why := second_opinion.missing():
        pytest.skip(why)
    folder = make_project(tmp_path / "ws", busybox_image, "runc", profile)
    with container(api, plan_of(folder, host_facts), *changes) as running:
        done = subprocess.run(
            [second_opinion.PROGRAM, "scan", "-c", running, "-f", "json", "-o", tmp_path / "found"],
            env={**os.environ, "DOCKER_HOST": engine},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    confirmed = re.search(r"(\d+) confirmed", done.stdout + done.stderr)
    assert confirmed is not None, done.stdout + done.stderr
    assert (int(confirmed[1]) > 5) if broken else (int(confirmed[1]) == 0)
