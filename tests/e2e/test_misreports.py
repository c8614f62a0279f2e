"""What gVisor hides or misreports: each row of the table, on a live sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.host.facts import HostFacts
from sandboxd.observe.misreports import DIRECTFS, GVISOR, Misreport
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]


@pytest.fixture(scope="module")
def agent(
    request: pytest.FixtureRequest,
    engine: str,
    runsc: str,
    busybox_image: str,
    host_facts: HostFacts,
) -> Iterator[str]:
    """A running sandbox of profile `agent`, one for all rows."""
    from sandboxd.engine.client import connect_from

    folder = request.getfixturevalue("tmp_path_factory").mktemp("ws") / "project"
    sandboxes.make_project(folder, busybox_image, "gvisor", "agent")
    api = connect_from({"DOCKER_HOST": engine})
    with sandboxes.container(api, sandboxes.plan_of(folder, host_facts)) as running:
        yield running


@pytest.mark.parametrize("row", GVISOR, ids=lambda row: row.subject)
def test_gvisor_shows_what_is_not_so(
    api: Engine, agent: str, row: Misreport, host_facts: HostFacts
) -> None:
    """Or, where the build was seen to hold the row's premise, it shows what is so."""
    gvisor = host_facts.usable_gvisor()
    assert gvisor is not None
    _, output = run_quietly(api, agent, Exec(["sh", "-c", row.probe]))
    shown = re.search(row.shows, output.decode().strip()) is not None
    assert shown is not bool(row.until and gvisor.holds(row.until)), output


def test_a_folder_that_says_read_only_is_emptied(
    api: Engine, runsc: str, busybox_image: str, tmp_path: Path, host_facts: HostFacts
) -> None:
    stock = host_facts.engine.runtime("runsc") if host_facts.engine is not None else None
    assert stock is not None
    held = stock.holds(DIRECTFS.until)
    victim = tmp_path / "file"
    victim.write_text("content")
    victim.chmod(0o666)
    body = {
        "Image": busybox_image,
        "Cmd": ["sleep", "600"],
        "HostConfig": {"Runtime": "runsc", "Binds": [f"{tmp_path}:/pinned:ro"]},
    }
    container = api.create("sandboxd-test-directfs", body)
    try:
        api.start(container)
        _, output = run_quietly(api, container, Exec(["sh", "-c", DIRECTFS.probe]))
        assert held or re.search(DIRECTFS.shows, output.decode().strip()), output
        run_quietly(api, container, Exec(["sh", "-c", ": >/pinned/file"]))
    finally:
        api.remove(container)
    assert victim.read_text() == ("content" if held else "")
