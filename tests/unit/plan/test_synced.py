"""A copy that is kept the same, in the plan and in the container that `up` asks for; other tools mount the folder."""

from __future__ import annotations

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan.git_objects import ObjectFolder, ObjectFolders
from sandboxd.plan.linked_worktree import LinkedWorktree
from sandboxd.plan.own_git import OwnGit
from sandboxd.plan.plan import Plan
from sandboxd.plan.workspace import ControlFile
from sandboxd.plan.writers.engine import arguments
from tests.unit.plan.examples import GVISOR, PLAIN, configured, plan_of, workspace

TARGET = "/workspaces/weather"
OWN = OwnGit("/state/inside", "/state/empty", ObjectFolders((ObjectFolder("/objects", False),)))
SHUT = (ControlFile(".git", "directory"), ControlFile(".vscode", "directory"))


def plan(host: HostFacts = GVISOR, layout: str = "synced", **facts: object) -> Plan:
    text = f'image = "img:1"\n[workspace]\nlayout = "{layout}"\nsync = ["dist"]\n'
    more = {"control_files": SHUT, "own_git": OWN, **facts}
    return plan_of(configured(text), host, None, workspace(**more))


def places(of: Plan) -> dict[str, str]:
    """What is at each place below `/workspaces` of the container that `up` asks for."""
    host = arguments(of)["HostConfig"]
    mounts = {each["Target"]: each["Type"] for each in host["Mounts"]}
    mounts |= dict.fromkeys(host.get("Tmpfs") or {}, "tmpfs")
    return {target: kind for target, kind in mounts.items() if target.startswith("/workspaces")}


def test_under_gvisor_the_copy_is_in_memory_and_elsewhere_in_a_volume() -> None:
    assert places(plan()) == {TARGET: "tmpfs", f"{TARGET}/.git": "bind"}
    assert places(plan(PLAIN)) == {TARGET: "volume", f"{TARGET}/.git": "bind"}
    synced = plan(PLAIN).synced
    assert synced is not None
    assert (synced.target, synced.wanted) == (TARGET, ("dist",))
    assert synced.volume.startswith("sandboxd-synced-")
    assert any("in memory" in each.why for each in plan().downgrades_of_up())


def test_another_tool_mounts_the_folder_and_what_is_said_of_that_is_said_of_it_alone() -> None:
    the_plan = plan(PLAIN)
    as_bind = places(plan(PLAIN, "bind"))
    assert f"{TARGET}/.vscode" in as_bind
    assert places(the_plan.of_other_tools()) == as_bind
    controls = [each.control for each in the_plan.downgrades_of_up()]
    assert "control files" not in controls
    assert "control files" in [each.control for each in the_plan.downgrades]
    assert the_plan.stubs_of_up == ()


def test_a_linked_work_tree_is_refused() -> None:
    linked = LinkedWorktree("/repo/.git", "w", "/repo/.git/worktrees/w")
    with pytest.raises(UsageError, match="linked work tree"):
        plan(linked=linked)


def test_one_of_several_sandboxes_of_a_folder_is_refused() -> None:
    with pytest.raises(UsageError, match="`login` would be kept the same as your folder"):
        plan(name="login")
