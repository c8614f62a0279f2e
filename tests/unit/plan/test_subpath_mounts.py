"""What an editor's engine mounts of the workspace follows no link out of it, where the engine can do that."""

from __future__ import annotations

import pytest

from sandboxd.host.facts import Engine
from sandboxd.model.container import Mount
from sandboxd.plan import subpath_mounts
from sandboxd.plan.compose import ComposeProject
from sandboxd.plan.pinned_volume import pinned_volume
from sandboxd.plan.writers import argv, compose_override, devcontainer_json
from tests.unit.plan.examples import GVISOR, HOSTS, WORKSPACE
from tests.unit.plan.examples import plan as plan_of

OLD = GVISOR._replace(engine=GVISOR.engine and GVISOR.engine._replace(api_version="1.44"))
PARTS = (f"source={WORKSPACE}/", "source=${localWorkspaceFolder}/")


@pytest.mark.parametrize(
    ("kind", "api", "expected"),
    [
        ("docker", "1.45", True),
        ("docker", "1.51", True),
        ("docker", "2.0", True),
        ("docker", "1.44", False),
        ("docker", "1.5", False),
        ("docker", "", False),
        ("docker", "1.x", False),
        ("podman", "1.45", False),
        ("docker-desktop", "1.51", False),
        (None, None, True),
    ],
)
def test_which_engines_can(kind: str | None, api: str | None, expected: bool) -> None:
    assert subpath_mounts.are_possible(Engine("unix:///x", kind=kind, api_version=api)) is expected


def test_nothing_of_the_workspace_is_mounted_by_its_path() -> None:
    plan = plan_of()
    for text in (devcontainer_json.render(plan), " ".join(argv.render(plan))):
        assert not any(part in text for part in PARTS)
        assert "volume-subpath=.devcontainer" in text and "volume-subpath=.git/objects" in text
    assert "source=sandboxd-pin-rw-${devcontainerId}," in devcontainer_json.render(plan)


def test_neither_in_a_project_of_compose() -> None:
    plan = plan_of()._replace(compose=ComposeProject(("docker-compose.yml",), "app"))
    text = compose_override.render(plan)
    assert f'"source": "{WORKSPACE}/' not in text and '"source": "./.' not in text
    assert '"volume": {"nocopy": true, "subpath": ".devcontainer"}' in text
    # Compose takes the bare `bind` for a bind mount, and drops the subpath.
    assert f'"driver_opts": {{"type": "none", "o": "bind,rw", "device": "{WORKSPACE}"}}' in text


@pytest.mark.parametrize("host", [OLD, HOSTS["podman-5-rootful"], HOSTS["macos-docker-desktop"]])
def test_where_the_engine_cannot_the_file_says_so(host: object) -> None:
    plan = plan_of(host=host)  # type: ignore[arg-type]
    text = devcontainer_json.render(plan)
    assert "volume-subpath" not in text and "// - mounts by path: this engine follows links" in text
    (said,) = (entry for entry in plan.downgrades if entry.control == "mounts by path")
    assert said.of_other_tools and said not in plan.downgrades_of_up()
    assert "mounts by path" not in devcontainer_json.render(plan_of())


def test_the_workspace_itself_and_what_lies_elsewhere_stay_as_they_are() -> None:
    plan = plan_of()
    for mount in (
        Mount("bind", WORKSPACE, "/w"),
        Mount("bind", f"{WORKSPACE}-2/x", "/x"),
        Mount("volume", "cache", "/cache"),
        pinned_volume(WORKSPACE, "/w"),
    ):
        assert subpath_mounts.of_other_tools(mount, plan) is mount


def test_a_volume_that_shuts_a_folder_under_an_old_gvisor_stays_read_only() -> None:
    mount = subpath_mounts.of_other_tools(
        pinned_volume(f"{WORKSPACE}/.idea", "/w/.idea"), plan_of()
    )
    assert mount.read_only and "volume-opt=o=bind,ro" in mount.options
    assert {"volume-subpath=.idea", f"volume-opt=device={WORKSPACE}"} <= set(mount.options)
