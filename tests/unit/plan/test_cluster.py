"""What a plan is on a cluster: its facts, its names and users, and what is said of what it will not have."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.model.remote import Command, Hook, Remote
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.plan import cluster
from sandboxd.plan.cluster import Cluster
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from tests.unit.plan.examples import RUNC_GRANTED, configured, plan, plan_of, workspace

GVISOR = Cluster(runtime_class="gvisor")


def of_cluster(text: str = "", options: Cluster = GVISOR, **rest: object) -> Plan:
    return plan(text, cluster.facts(options), **rest)  # type: ignore[arg-type]


def said(plan: Plan, options: Cluster = GVISOR) -> dict[str, str]:
    return {each.control: each.why for each in cluster.downgrades(plan, options)}


@pytest.mark.parametrize("profile", ["dev", "agent", "untrusted", "review", "trusted"])
@pytest.mark.parametrize("options", [GVISOR, Cluster()])
def test_nothing_that_is_said_is_about_this_machine_or_its_engine(
    profile: str, options: Cluster
) -> None:
    chosen = of_cluster(f'profile = "{profile}"', options, grants=RUNC_GRANTED)
    for each in cluster.downgrades(chosen, options):
        text = f"{each.control}: {each.why} {each.fix}".lower()
        for word in ("docker", "engine", "runc", "sandboxd up", "apparmor_parser", "/home/dev"):
            assert word not in text, text


def test_gvisor_is_the_users_word_and_its_absence_is_said() -> None:
    assert "is what you say; no node was asked" in said(of_cluster())["gVisor"]
    without = Cluster()
    assert "shares the node's kernel" in said(of_cluster(options=without), without)["gVisor"]


def test_a_profile_that_needs_gvisor_is_refused_without_a_class_in_words_of_a_cluster() -> None:
    with pytest.raises(EnvironmentFailure):
        of_cluster('profile = "agent"', Cluster())
    error = cluster.without_class("agent")
    assert isinstance(error, UsageError)
    assert error.message == "the plan by profile `agent` needs gVisor, and no RuntimeClass is named"
    assert "--runtime-class gvisor" in error.hint and "--allow-runc" in error.hint
    assert (
        of_cluster('profile = "agent"', Cluster(), grants=Grants(allow_runc=True)).profile
        == "agent"
    )


def test_the_next_step_is_one_command_whatever_the_folder_is_called() -> None:
    chosen = of_cluster(workspace=workspace(path="/src/a;touch $(id)"))
    fixes = {each.control: each.fix for each in cluster.downgrades(chosen, GVISOR)}
    assert shlex.split(fixes["workspace"])[-1] == "/workspaces/a;touch $(id)"


def test_capabilities_go_and_are_named() -> None:
    assert "CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID" in said(of_cluster())["capabilities"]
    assert "capabilities" not in said(of_cluster('profile = "agent"'))


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("1234:5678", (1234, 5678)),
        ("1234", (1234, 1234)),
        ("vscode", (1000, 1000)),
        ("vscode:1234", (1000, 1000)),
        ("1234:staff", (1000, 1000)),
        ("0:0", (1000, 1000)),
        ("1234:0", (1000, 1000)),
        ("00", (1000, 1000)),
    ],
)
def test_the_user_is_a_number_that_is_not_roots(written: str, numbers: tuple[int, int]) -> None:
    chosen = of_cluster()
    user = chosen.container.user
    assert user is not None
    chosen = chosen._replace(container=chosen.container._replace(user=user._replace(value=written)))
    assert cluster.user(chosen) == numbers
    assert ("user" in said(chosen)) == (numbers == (1000, 1000))


def test_an_image_that_decides_over_its_user_gets_a_number() -> None:
    chosen = of_cluster(workspace=workspace(owner_uid=0, owner_gid=0))
    assert chosen.container.user is None
    assert cluster.user(chosen) == (1000, 1000)
    assert "in the place of the image's own" in said(chosen)["user"]


@pytest.mark.parametrize(
    ("folder", "begins"),
    [
        ("weather", "sandboxd-weather-"),
        ("My_App.v2", "sandboxd-my-app-v2-"),
        ("ünïcode", "sandboxd-n-code-"),
        ("x" * 80, "sandboxd-" + "x" * 26 + "-"),
    ],
)
def test_a_name_is_one_of_dns_with_room_behind_it(folder: str, begins: str) -> None:
    facts = workspace()._replace(path=f"/home/dev/{folder}")
    chosen = plan_of(configured(), cluster.facts(GVISOR), None, facts)
    name = cluster.name_of(chosen, GVISOR)
    assert name.startswith(begins)
    assert len(f"{name}-gateway-program") <= 63
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_two_projects_users_or_sandboxes_of_one_folder_name_have_two_names() -> None:
    pairs = [("/a/", "ann"), ("/b/", "ann"), ("/a/", "ben")]
    names = {cluster.object_name(path + "x" * 80, user) for path, user in pairs}
    names.add(cluster.object_name(sandbox_id("/a/" + "x" * 80, "second"), "ann"))
    assert len(names) == 4
    assert cluster.object_name("/a/shop//second", "ann").startswith("sandboxd-shop-second-")


def test_a_second_sandbox_needs_no_other_layout_since_each_has_a_volume() -> None:
    facts = workspace()._replace(name="second")
    assert plan_of(configured(), cluster.facts(GVISOR), None, facts).name == "second"


def test_an_image_that_is_built_has_to_be_named() -> None:
    chosen = of_cluster()
    assert cluster.image(chosen, GVISOR) == "img:1"
    assert cluster.image(chosen, GVISOR._replace(image="other:2")) == "other:2"
    with pytest.raises(UsageError, match="only pulls one"):
        cluster.image(chosen._replace(container=chosen.container._replace(image=None)), GVISOR)


def test_a_mount_of_the_project_that_a_pod_has_not_is_named() -> None:
    hand_written = """{"image": "img:1", "mounts": [
        "source=cache,target=/cache,type=volume", "target=/scratch,type=tmpfs"]}"""
    chosen = of_cluster(hand_written=hand_written)
    assert [mount.target for mount in cluster.lost_mounts(chosen)] == ["/cache"]
    assert said(chosen)["mounts"] == "nothing is at `/cache`"


def test_the_repository_of_a_linked_work_tree_is_said_to_stay_behind() -> None:
    there = GVISOR._replace(repository="/src/main/.git")
    assert (
        "whose repository `/src/main/.git` stays behind" in said(of_cluster(), there)["git inside"]
    )
    assert "git inside" not in said(of_cluster())


def test_a_clone_has_no_repository_elsewhere(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com")
    for words in (
        [*git, "init", "-q", str(main)],
        [*git, "-C", str(main), "commit", "-q", "--allow-empty", "-m", "first"],
        [*git, "-C", str(main), "worktree", "add", "-q", str(linked)],
    ):
        subprocess.run(words, check=True)
    assert cluster.repository_elsewhere(str(main)) == ""
    assert cluster.repository_elsewhere(str(linked)) == f"{main}/.git"


def test_hooks_that_run_there_are_not_lost_but_those_of_a_label_that_nobody_tells() -> None:
    hook = Hook("postCreateCommand", "devcontainer.json", (Command("", ("a",), "a"),))
    chosen = of_cluster()._replace(remote=Remote((hook,)), runs_hooks=True)
    assert said(chosen, GVISOR)["lifecycle hooks"] == "none of them runs"
    there = GVISOR._replace(runs_hooks=True)
    assert "the image's label" in said(chosen, there)["lifecycle hooks"]
    assert said(chosen, there) == said(chosen._replace(remote=Remote()), there), "no other plan"
    assert "lifecycle hooks" not in said(chosen._replace(runs_hooks=False), there)
