"""Trees of many files: which are kept in memory, and that nothing of the host's is hidden unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan import stubs
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.tool_folders import Tree
from sandboxd.plan.workspace import WorkspaceFacts, survey
from tests.unit.plan.examples import GVISOR, PLAIN, base, configured, plan_of, workspace

TARGET = "/workspaces/weather"


def plan(
    facts: WorkspaceFacts, text: str = "", host: HostFacts = GVISOR, written: str = ""
) -> Plan:
    config = configured('image = "img:1"\n' + text)
    container = base(written) if written else None
    return plan_of(config, host, container, facts, Grants(allow_runc=True, trusted=True))


def in_memory(the_plan: Plan) -> dict[str, str]:
    return {
        m.value.target.removeprefix(f"{TARGET}/"): ",".join(m.value.options)
        for m in the_plan.container.mounts
        if m.value.type == "tmpfs"
    }


@pytest.mark.parametrize("profile", ["dev", "trusted"])
def test_what_is_missing_or_empty_is_kept_in_memory(profile: str) -> None:
    trees = (Tree("node_modules", "missing", "package.json"), Tree("target", "empty", "Cargo.toml"))
    the_plan = plan(workspace(hot=trees), f'profile = "{profile}"\nruntime = "gvisor"')
    assert in_memory(the_plan).keys() == {"node_modules", "target"}
    assert (
        "exec" in in_memory(the_plan)["node_modules"] and "size=2g" in in_memory(the_plan)["target"]
    )
    assert "node_modules" in the_plan.stubs and "target" not in the_plan.stubs
    reasons = [d.why for d in the_plan.downgrades if d.control == "files in memory"]
    assert len(reasons) == 1 and "`node_modules`, `target`" in reasons[0] and "gone" in reasons[0]


def test_what_has_content_is_not_hidden_unless_the_project_asks() -> None:
    folder = workspace(hot=(Tree("node_modules", "content", "package.json"),))
    the_plan = plan(folder)
    assert in_memory(the_plan) == {} and the_plan.stubs == workspace().of_kind("stub")
    (why,) = [r.why for r in the_plan.reasons if r.item == "node_modules (on the host)"]
    assert '`[workspace] hot = ["node_modules"]`' in why
    asked = workspace(hot=(Tree("node_modules", "content"),))
    the_plan = plan(asked, '[workspace]\nhot = ["node_modules"]')
    assert in_memory(the_plan).keys() == {"node_modules"}
    assert any("is hidden inside" in d.why for d in the_plan.downgrades)


@pytest.mark.parametrize(
    ("text", "host", "reason"),
    [
        ("", PLAIN, "as fast"),
        ('profile = "review"\n', GVISOR, "in memory, or read-only"),
        ('profile = "untrusted"\n', GVISOR, "in memory, or read-only"),
        ('profile = "seed-baseline"\n', GVISOR, "keeps nothing in memory"),
    ],
)
def test_where_it_gains_nothing_it_is_not_done_and_an_ask_is_answered(
    text: str, host: HostFacts, reason: str
) -> None:
    known = workspace(hot=(Tree("node_modules", "missing", "package.json"),))
    assert "node_modules" not in in_memory(plan(known, text, host))
    asked = workspace(hot=(Tree("node_modules", "missing"),))
    the_plan = plan(asked, text + '[workspace]\nhot = ["node_modules"]', host)
    assert "node_modules" not in in_memory(the_plan) and "node_modules" not in the_plan.stubs
    assert any("is not used" in r.item and reason in r.why for r in the_plan.reasons)


def test_a_volume_of_the_user_s_own_stays() -> None:
    written = (
        '{"image": "i", "mounts": ["type=volume,source=n,target=/workspaces/weather/node_modules"]}'
    )
    folder = workspace(hot=(Tree("node_modules", "missing", "package.json"),))
    the_plan = plan(folder, written=written)
    assert in_memory(the_plan) == {} and "node_modules" not in the_plan.stubs


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Tree(".devcontainer", "content"), "control file"),
        (Tree(".git", "content"), "commits would go"),
        (Tree(".git/objects", "content"), "commits would go"),
        (Tree(".vscode/x", "missing"), "control file"),
        (Tree("a/b", "in the way"), "no folder"),
    ],
)
def test_what_cannot_be_in_memory_is_refused(tree: Tree, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan(workspace(hot=(tree,)), f'[workspace]\nhot = ["{tree.path}"]')


def test_a_survey_finds_trees_by_the_files_of_their_tools(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "node_modules/a").mkdir(parents=True)
    (tmp_path / "Cargo.toml").write_text("")
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / ".venv").mkdir()
    (tmp_path / "pom.xml").symlink_to("Cargo.toml")
    assert survey(str(tmp_path), ()).hot == (
        Tree("node_modules", "content", "package.json"),
        Tree(".venv", "empty", "requirements.txt"),
        Tree("target", "missing", "Cargo.toml"),
    )
    assert survey(str(tmp_path), (), ["x/target", ".venv"]).hot == (
        Tree("x/target", "in the way"),
        Tree(".venv", "empty"),
    )
    (tmp_path / "target").symlink_to("/etc")
    facts = survey(str(tmp_path), ())
    assert facts.hot[-1] == Tree("target", "in the way", "Cargo.toml")
    assert "target" not in in_memory(plan(workspace(hot=facts.hot)))


def test_git_gets_its_setting_under_gvisor_and_never_a_second_one() -> None:
    def names(the_plan: Plan) -> dict[str, str]:
        return {v.value.name: v.value.value for v in the_plan.container.env}

    assert names(plan(workspace()))["GIT_CONFIG_KEY_0"] == "core.checkStat"
    assert names(plan(workspace(), host=PLAIN)) == {}
    own = '[environment]\nGIT_CONFIG_COUNT = "0"'
    assert names(plan(workspace(), own)) == {"GIT_CONFIG_COUNT": "0"}


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("node_modules", True),
        ("a/target", True),
        (".vscode", True),
        (".husky/_", True),
        ("../node_modules", False),
        ("a/../../target", False),
        ("/target", False),
        ("", False),
    ],
)
def test_only_what_we_make_may_be_noted_as_a_stub(path: str, may: bool) -> None:
    assert stubs.may_be(path) is may


def test_git_trusts_a_copy_whose_folder_is_root_s() -> None:
    for user, host, expected in (
        ("dev", PLAIN, {"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": TARGET}),
        ("dev", GVISOR, {"GIT_CONFIG_KEY_1": "safe.directory", "GIT_CONFIG_COUNT": "2"}),
        ("1000", PLAIN, {}),
    ):
        the_plan = plan(workspace(), f'profile = "agent"\nuser = "{user}"', host)
        variables = {v.value.name: v.value.value for v in the_plan.container.env}
        assert expected.items() <= variables.items() and bool(expected) == bool(variables)
