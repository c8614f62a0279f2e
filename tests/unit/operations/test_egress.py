"""What `sandboxd egress` does, with a played gateway in place of a container."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandboxd.egress.names import pattern
from sandboxd.egress.policy import decide
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations.egress.actions import act
from sandboxd.policy import approvals
from sandboxd.project.rights import rights_of_plan
from sandboxd.state import given_rights
from tests.unit.operations.played_gateway import PlayedGateway


class Project:
    """A project of a user of one's own, whose sandbox runs."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app"
        self.path.mkdir()
        self.config = self.path / "sandboxd.toml"
        self.config.write_text('profile = "dev"\n\n[network]\nmode = "allow"  # names\n')
        self.environ: Mapping[str, str] = {
            "HOME": str(folder / "home"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self.gateway = PlayedGateway(os.path.realpath(self.path), self.environ)

    def act(self, action: str, **arguments: Any) -> dict[str, Any]:
        return act(action, str(self.path), self.environ, arguments, self.gateway.find)

    def act_without_sandbox(self, action: str, **arguments: Any) -> dict[str, Any]:
        return act(action, str(self.path), self.environ, arguments)

    def write_floor(self, text: str) -> None:
        path = Path(self.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_from_a_denial_to_a_rule(project: Project) -> None:
    project.gateway.tell(name="New.example.org")
    (row,) = project.act("log")["rows"]
    assert (row["name"], row["words"]) == ("New.example.org", "no rule names it")
    assert row["command"] == "sandboxd egress allow new.example.org"

    allowed = project.act("allow", text="new.example.org")
    assert (allowed["is_live"], allowed["ports"]) == (True, [80, 443])
    assert project.gateway.lets_through("new.example.org")
    assert project.act("log")["rows"][0]["command"] == ""
    (rule,) = [r for r in project.act("list")["rows"] if r["name"] == "new.example.org"]
    assert (rule["source"], rule["by"], rule["answer"]) == ("approval", "shell", "allow")
    assert rule["until"] == allowed["until"] > time.time() + 23 * 3600

    promoted = project.act("promote", text="new.example.org")
    assert promoted["entries"] == ["new.example.org"]
    text = project.config.read_text()
    assert '"new.example.org"' in text and 'mode = "allow"  # names\n' in text

    project.act("deny", text="new.example.org")
    assert not project.gateway.lets_through("new.example.org")


def test_an_approval_ends_by_itself_also_in_the_gateway(project: Project) -> None:
    until = project.act("allow", text="a.example.org:22", duration=60.0)["until"]
    policy = project.gateway.pushed[-1]
    assert decide(policy, "a.example.org", 22, until - 1).allowed
    assert decide(policy, "a.example.org", 22, until).reason == "expired"
    assert not decide(policy, "a.example.org", 443, until - 1).allowed


def test_without_a_sandbox_an_answer_is_kept(project: Project) -> None:
    assert project.act_without_sandbox("allow", text="a.example.org")["is_live"] is False
    assert project.act_without_sandbox("check", text="a.example.org")["allowed"] is True
    assert project.act_without_sandbox("deny", text="b.example.org")["is_live"] is False
    assert project.act_without_sandbox("check", text="b.example.org")["reason"] == "denied"
    log = project.act_without_sandbox("log")
    assert (log["is_running"], log["rows"]) == (False, [])


def test_an_answer_is_kept_before_the_gateway_has_it(project: Project) -> None:
    project.gateway.refuses = True
    with pytest.raises(EnvironmentFailure):
        project.act("deny", text="a.example.org")
    assert project.act("check", text="a.example.org")["reason"] == "denied"


def test_once_is_for_one_connection(project: Project) -> None:
    assert project.act("allow", text="a.example.org", once=True)["once"] is True
    rules = [r for r in project.gateway.pushed[-1].rules if r.once]
    assert [rule.pattern for rule in rules] == [pattern("a.example.org")]
    project.gateway.tell(event="used", name="a.example.org", once=rules[0].once)
    project.act("deny", text="b.example.org")
    assert project.act("check", text="a.example.org")["allowed"] is False
    # What is approved after that is for another connection, however often the first is told of.
    project.act("allow", text="a.example.org", once=True)
    project.act("deny", text="c.example.org")
    assert project.act("check", text="a.example.org")["allowed"] is True


def test_a_denial_is_taken_back_or_answered_anew(project: Project) -> None:
    project.act("deny", text="a.example.org")
    assert project.act("allow", text="a.example.org")["replaced"] is True
    project.act("deny", text="*.example.org")
    with pytest.raises(UsageError, match=r"you denied `\*.example.org`"):
        project.act("allow", text="b.example.org")
    assert project.act("deny", text="*.example.org", undo=True)["taken_back"] == 1
    assert project.gateway.lets_through("a.example.org")
    assert project.act("deny", text="a.example.org", undo=True)["taken_back"] == 1
    assert not project.gateway.lets_through("a.example.org")
    with pytest.raises(UsageError, match="nothing was answered"):
        project.act("deny", text="a.example.org", undo=True)


def test_an_answer_whose_withdrawal_was_cut_short_is_withdrawn_by_the_next_one(
    project: Project,
) -> None:
    project.act("allow", text="a.example.org")
    approvals.remove(project.environ, os.path.realpath(project.path), time.time(), lambda _: True)
    assert project.gateway.lets_through("a.example.org")
    with pytest.raises(UsageError, match="nothing was answered"):
        project.act("deny", text="a.example.org", undo=True)
    assert not project.gateway.lets_through("a.example.org")


@pytest.mark.parametrize("name", ["", "claude"])
def test_without_a_config_an_answer_in_a_subfolder_is_for_the_sandbox_above(
    project: Project, name: str
) -> None:
    """Also where an agent's session is the only one there: an answer is for all sandboxes of a folder."""
    project.config.unlink()
    workspace, below = os.path.realpath(project.path), project.path / "src"
    below.mkdir()
    project.act("allow", text="a.example.org")
    given = given_rights.GivenRights("c1", "", project.gateway.pushed[-1])
    given_rights.keep(project.environ, sandbox_id(workspace, name), given)
    denied = act(
        "deny", str(below), project.environ, {"text": "a.example.org"}, project.gateway.find
    )
    assert denied["workspace"] == workspace
    assert not project.gateway.lets_through("a.example.org")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*.com", "too wide"),
        ("*", "too wide"),
        ("127.0.0.1", "address"),
        ("169.254.169.254", "address"),
        ("https://a.example.org/x", "no host"),
        ("pypi", "a group"),
        ("localhost", "group nor a host"),
        ("a.example.org:0", "port"),
        ("a.example.org:99999", "port"),
        ("-a.example.org", "not a host name"),
        ("exämple.org", "beyond ASCII"),
        ("", "a host has a dot"),
    ],
)
def test_what_is_no_name_is_refused(project: Project, text: str, words: str) -> None:
    for action in ("allow", "promote"):
        with pytest.raises(UsageError, match=words):
            project.act(action, text=text)
    with pytest.raises(UsageError):
        project.act("deny", text=text)
    assert approvals.of_project(project.environ, project.gateway.workspace, 0.0) == ()


def test_a_name_without_a_dot_is_one_with_its_port(project: Project) -> None:
    project.gateway.tell(name="db", port=5432)
    assert project.act("log")["rows"][0]["command"] == "sandboxd egress allow db:5432"
    project.act("allow", text="db:5432")
    assert project.gateway.lets_through("db", 5432)
    project.act("deny", text="db")
    assert not project.gateway.lets_through("db", 5432)


def test_an_address_that_is_never_dialled_cannot_be_approved(project: Project) -> None:
    project.gateway.tell(name="meta.example.org", reason="address", detail="169.254.169.254")
    assert project.act("log")["rows"][0]["command"] == ""
    with pytest.raises(UsageError, match=r"never dialled \(169.254.169.254\)"):
        project.act("allow", text="meta.example.org")
    with pytest.raises(UsageError, match="never dialled"):
        project.act("allow", text="*.example.org")


def test_a_tripwire_cannot_be_approved(project: Project) -> None:
    project.config.write_text('profile = "agent"\n')
    tripwire = project.act("list")["tripwire"]
    with pytest.raises(UsageError, match="tripwire"):
        project.act("allow", text=tripwire)
    project.gateway.tell(name=tripwire, reason="canary")
    log = project.act("log")
    assert (log["totals"]["tripwires"], log["rows"][0]["command"]) == (1, "")


def test_where_the_floor_forbids_grants_only_a_no_is_taken(project: Project) -> None:
    project.act("allow", text="a.example.org")
    project.write_floor("trust = false\n")
    with pytest.raises(UsageError, match="forbids grants"):
        project.act("allow", text="b.example.org")
    (rule,) = [r for r in project.act("list")["rows"] if r["name"] == "a.example.org"]
    assert rule["obstacle"] == "no-grants"
    project.act("deny", text="c.example.org")
    assert not project.gateway.lets_through("a.example.org")


@pytest.mark.parametrize(
    ("config", "words"),
    [('profile = "review"\n', "no network"), ('[network]\nmode = "none"\n', "no network")],
)
def test_a_project_without_a_gateway_says_so(project: Project, config: str, words: str) -> None:
    project.config.write_text(config)
    for action, arguments in (("log", {}), ("list", {}), ("allow", {"text": "a.example.org"})):
        with pytest.raises(UsageError, match=words):
            project.act_without_sandbox(action, **arguments)


@pytest.mark.parametrize("by", ["config", "policy"])
def test_the_record_of_a_gateway_that_still_runs_is_shown(project: Project, by: str) -> None:
    project.gateway.tell(name="a.example.org")
    project.gateway.tell(event="asked", id=1, name="b.example.org", why="please")
    if by == "config":
        project.config.write_text('[network]\nmode = "none"\n')
    else:
        project.write_floor('network = "none"')
    log = project.act("log")
    assert (log["is_running"], log["mode"], log["totals"]["denied"]) == (True, "none", 1)
    # `allow` and `deny` would refuse it.
    assert [(row["name"], row["command"]) for row in log["rows"]] == [("a.example.org", "")]
    assert log["questions"] == []


def test_a_question_is_shown_until_it_is_answered(project: Project) -> None:
    why = "please\x1b[2J\nrun `sandboxd egress allow evil.example.org`"
    project.gateway.tell(event="asked", id=3, name="a.example.org", why=why)
    (question,) = project.act("log")["questions"]
    # It cannot look like a row, or like a command of ours.
    shown = "please\x1b[2J run 'sandboxd egress allow evil.example.org'"
    assert (question["id"], question["why"]) == (3, shown)
    project.act("allow", text="a.example.org")
    assert project.act("log")["questions"] == []


def test_a_no_is_an_answer_to_who_asks(project: Project) -> None:
    for number, name in enumerate(("a.example.org", "b.example.org", "x.example.net"), 1):
        project.gateway.tell(event="asked", id=number, name=name, why="please")
    project.act("deny", text="*.example.org")
    assert project.gateway.answered == [(1, "a person said no"), (2, "a person said no")]
    assert [question["id"] for question in project.act("log")["questions"]] == [3]


def test_an_answer_is_kept_where_no_engine_can_be_asked(project: Project) -> None:
    def find(_workspace: str) -> None:
        raise EnvironmentFailure("no engine answers", "start it")

    arguments = {"text": "a.example.org"}
    for action in ("allow", "deny"):
        answer = act(action, str(project.path), project.environ, arguments, find)
        assert (answer["is_live"], answer["unasked"]) == (False, "no engine answers")
    assert project.act("check", text="a.example.org")["reason"] == "denied"
    with pytest.raises(EnvironmentFailure):
        act("log", str(project.path), project.environ, {}, find)


def test_a_start_takes_the_answers_along(project: Project) -> None:
    from sandboxd.host.facts import UNKNOWN
    from sandboxd.operations import _plan

    project.config.write_text('profile = "dev"\nimage = "x"\n')
    project.act("allow", text="a.example.org")
    project.act("deny", text="b.example.org")
    plan = _plan.as_started(str(project.path), project.environ, "", lambda: UNKNOWN)
    given = rights_of_plan(plan, project.environ, time.time()).gateway
    assert given is not None
    assert decide(given.policy, "a.example.org", 443, time.time()).allowed
    assert decide(given.policy, "b.example.org", 443, time.time()).reason == "denied"


def test_an_answer_that_is_taken_back_while_an_image_is_built_is_not_in_the_gateway(
    project: Project,
) -> None:
    from sandboxd.host.facts import UNKNOWN
    from sandboxd.operations import _plan
    from sandboxd.plan.grants import NO_GRANTS

    project.config.write_text('profile = "dev"\nimage = "x"\n')
    project.act("allow", text="a.example.org")
    plan, *_ = _plan.for_start(str(project.path), project.environ, NO_GRANTS, lambda: UNKNOWN)
    project.act("deny", text="a.example.org", undo=True)
    given = rights_of_plan(plan, project.environ, time.time()).gateway
    assert given is not None
    assert not decide(given.policy, "a.example.org", 443, time.time()).allowed


def test_a_rule_needs_no_approval(project: Project) -> None:
    (project.path / "pyproject.toml").write_text("[project]\n")
    (rule, *_) = [row for row in project.act("list")["rows"] if row["source"] == "group pypi"]
    with pytest.raises(UsageError, match=r"needs no approval: a rule allows it: .* by group pypi"):
        project.act("allow", text=f"{rule['name']}:443")


def test_what_the_user_does_not_trust_counts_for_nothing_and_the_rest_goes_on(
    project: Project,
) -> None:
    (project.path / "pyproject.toml").write_text("[project]\n")
    project.act("promote", text="b.example.org")
    text = project.config.read_text()
    assert 'allow = ["pypi", "b.example.org"]' in text
    listed = project.act("list")
    assert "cannot loosen the network" in listed["problem"]
    assert {row["source"] for row in listed["rows"]} == {"group pypi"}
    assert project.act("check", text="b.example.org")["allowed"] is False
    project.act("deny", text="c.example.org")
    assert project.act("check", text="c.example.org")["reason"] == "denied"


def test_the_list_of_a_floor_holds_an_approval_in(project: Project) -> None:
    project.write_floor('network_allow = ["*.example.org"]\n')
    project.act("allow", text="a.example.org")
    for action in ("allow", "promote"):
        with pytest.raises(UsageError):
            project.act(action, text="a.example.net")


def test_what_is_denied_becomes_no_rule_that_would_let_nothing_through(project: Project) -> None:
    project.act("deny", text="*.example.org")
    before = project.config.read_text()
    with pytest.raises(UsageError, match=r"you denied `\*\.example\.org`") as refused:
        project.act("promote", text="a.example.org")
    assert refused.value.hint == "`sandboxd egress deny --undo '*.example.org'` first"
    assert project.config.read_text() == before
    project.act("deny", text="*.example.org", undo=True)
    project.act("promote", text="a.example.org")
    assert '"a.example.org"' in project.config.read_text()


def test_promote_keeps_every_other_byte(project: Project) -> None:
    before = (
        '# top\r\n[network]\r\nallow = [\r\n  "a.example.org",  # first\r\n]\r\n'
        '\r\n[rules]\r\nhome-mounted = "hint" # why\r\n'
    )
    project.config.write_bytes(before.encode())
    os.chmod(project.config, 0o640)
    act("promote", str(project.path), project.environ, {"text": "b.example.org:22"})
    after = project.config.read_bytes().decode()
    assert after == before.replace("  # first\r\n", '  # first\r\n  "b.example.org:22",\r\n')
    assert project.config.stat().st_mode & 0o777 == 0o640
    with pytest.raises(UsageError, match="already"):
        project.act("promote", text="b.example.org:22")


def test_promote_takes_the_ports_of_the_approval(project: Project) -> None:
    project.act("allow", text="a.example.org:22")
    project.act("allow", text="a.example.org")
    assert project.act("promote", text="a.example.org")["entries"] == [
        "a.example.org:22",
        "a.example.org",
    ]


def test_promote_needs_a_file(project: Project) -> None:
    project.config.unlink()
    with pytest.raises(UsageError, match=r"no sandboxd.toml to write to"):
        project.act("promote", text="a.example.org")


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("grant", {}),
        ("allow", {"text": 1}),
        ("allow", {"text": "a.example.org", "until": 1e12}),
        ("check", {"text": "a.example.org", "by": "shell"}),
        ("log", {"text": "a.example.org"}),
        ("deny", {"text": "a.example.org", "undo": 1}),
    ],
)
def test_other_arguments_are_refused(
    project: Project, action: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(SandboxdError, match="no action"):
        project.act(action, **arguments)
