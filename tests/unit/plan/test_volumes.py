"""Named volumes: a project's own, in every tool that makes the container, unless its user shares them."""

from __future__ import annotations

import pytest

from sandboxd.errors import UsageError
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.volumes import project_digest, written_name
from sandboxd.plan.writers import argv, devcontainer_json, engine
from tests.unit.plan.examples import GVISOR, WORKSPACE, base, configured, plan_of, workspace

HASH = project_digest(WORKSPACE)
TEXT = """{"image": "i", "mounts": [
    "type=volume,source=cache,target=/cache",
    "type=volume,source=a-${devcontainerId},target=/a",
    "type=volume,target=/nameless"]}"""


def plan(text: str = "", path: str = WORKSPACE, **grants: bool) -> Plan:
    facts = workspace(path=path)
    return plan_of(configured(text), GVISOR, base(TEXT), facts, Grants(**grants))


def volumes(the_plan: Plan) -> dict[str, str]:
    """Those of the config, by their targets."""
    mounts = [m.value for m in the_plan.container.mounts if m.value.type == "volume"]
    return {m.target: m.source for m in mounts if not m.source.startswith("sandboxd-")}


def test_a_volume_is_the_project_s_own() -> None:
    the_plan = plan()
    assert volumes(the_plan) == {"/cache": f"cache-{HASH}", "/a": f"a-id{HASH}", "/nameless": ""}
    whys = {reason.item: reason.why for reason in the_plan.reasons if reason.field == "mounts"}
    assert whys["/cache (volume)"].endswith("as a volume of this project alone")
    assert whys["/nameless (volume)"] == "reaches nothing of the host"
    other = volumes(plan(path="/home/dev/other"))
    assert {*other.values()} & {*volumes(the_plan).values()} == {""}


def test_every_writer_names_the_same_volume() -> None:
    the_plan = plan()
    sent = engine.arguments(the_plan)["HostConfig"]["Mounts"]
    assert f"cache-{HASH}" in {mount.get("Source") for mount in sent}
    assert any(f"source=cache-{HASH}" in word for word in argv.render(the_plan))
    assert f"source=cache-{HASH}" in devcontainer_json.render(the_plan)


def test_a_volume_is_shared_only_as_the_user_agreed() -> None:
    text = '[workspace]\nshared_volumes = ["cache"]\n'
    with pytest.raises(UsageError, match="alone cannot share `cache`") as caught:
        plan(text)
    assert "sandboxd trust add" in caught.value.hint
    the_plan = plan(text, trusted=True)
    assert volumes(the_plan)["/cache"] == "cache"
    whys = {reason.item: reason.why for reason in the_plan.reasons if reason.field == "mounts"}
    assert "every project of this engine that names the volume `cache`" in whys["/cache (volume)"]


def test_no_name_of_a_repository_is_that_of_another_project_s_volume() -> None:
    """It may end like one, or leave the place for the id open: its own name is added all the same."""
    for written in (f"cache-{HASH}", f"cache-id{HASH}"):
        text = TEXT.replace("source=cache,", f"source={written},")
        the_plan = plan_of(configured(""), GVISOR, base(text), workspace(path="/home/dev/evil"))
        assert volumes(the_plan)["/cache"] == f"{written}-{project_digest('/home/dev/evil')}"


def test_compose_has_the_name_of_the_project_s_own_files() -> None:
    assert written_name(f"cache-{HASH}", WORKSPACE) == "cache"
    assert written_name(f"a-id{HASH}", WORKSPACE) == f"a-id{HASH}"
    assert written_name("sandboxd-pin-0011223344556677", WORKSPACE).startswith("sandboxd-pin-0011")
