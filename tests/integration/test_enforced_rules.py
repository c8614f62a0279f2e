"""Rules that a policy or `--no-allow` lets nobody suppress: comments, sandboxd.toml and a baseline make no
difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.integration.commands import Result, sandboxd

RULE = "privileged-container"
MADE = '{\n  "image": "debian:12",\n  "privileged": true\n}\n'
COMMENT = MADE.replace('  "priv', f'  // sandboxd: allow {RULE} -- for now\n  "priv')
ALLOW = f'[[allow]]\nrule = "{RULE}"\nreason = "for now"\n'
SUPPRESSED = [
    (COMMENT, "", "the comment that allows it"),
    (MADE, ALLOW, "`[[allow]]` in sandboxd.toml"),
    (MADE, f'[rules]\n{RULE} = "off"\n', "`[rules]` in sandboxd.toml"),
    (MADE, f'[rules]\n{RULE} = "hint"\n', "`[rules]` in sandboxd.toml"),
]


@pytest.fixture
def policy() -> Path:
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'enforce = ["{RULE}"]\n')
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer/devcontainer.json").write_text(MADE)
    return tmp_path


def message(done: Result) -> str:
    """That of the one finding of the rule, which nothing suppresses."""
    findings = [f for f in json.loads(done.out)["findings"] if f["rule"] == RULE]
    assert [(f["suppressed"], f["severity"]) for f in findings] == [(None, "error")]
    assert done.code == 1
    return str(findings[0]["message"])


def checked(project: Path, *arguments: object) -> Result:
    return sandboxd("check", "--format", "json", *arguments, project)


@pytest.mark.parametrize(("text", "settings", "what"), SUPPRESSED)
def test_no_file_of_a_repository_suppresses_it(
    project: Path, policy: Path, text: str, settings: str, what: str
) -> None:
    (project / ".devcontainer/devcontainer.json").write_text(text)
    (project / "sandboxd.toml").write_text(settings)
    message_text = message(checked(project))
    assert message_text.endswith(
        f"; {what} does not count: `{policy}` lets nobody suppress this rule"
    )
    policy.unlink()
    assert checked(project).code == 0


def test_a_baseline_neither_suppresses_nor_takes_it_in(project: Path, policy: Path) -> None:
    accepted = project / "accepted.json"
    accept = ("check", "--write-baseline", accepted, "--reason", "old", project)
    written = sandboxd(*accept)
    assert "accepted 0 findings" in written.err
    assert f"`{RULE}` stays: `{policy}` lets nobody suppress it" in written.err
    policy.unlink()
    assert "accepted 1 finding " in sandboxd(*accept).err
    assert checked(project, "--baseline", accepted).code == 0
    policy.write_text(f'enforce = ["{RULE}"]\n')
    assert "; the baseline does not count" in message(checked(project, "--baseline", accepted))


@pytest.mark.parametrize(("text", "settings", "what"), SUPPRESSED)
def test_a_reviewer_sees_what_a_project_suppresses(
    project: Path, text: str, settings: str, what: str
) -> None:
    (project / ".devcontainer/devcontainer.json").write_text(text)
    (project / "sandboxd.toml").write_text(settings)
    assert checked(project).code == 0
    text_of_finding = message(checked(project, "--no-allow"))
    assert text_of_finding.endswith(
        f"; {what} does not count: `--no-allow` lets nobody suppress this rule"
    )


def test_the_policy_is_named_before_the_option(project: Path, policy: Path) -> None:
    (project / ".devcontainer/devcontainer.json").write_text(COMMENT)
    assert f"`{policy}` lets nobody" in message(checked(project, "--no-allow"))


def test_no_baseline_is_written_of_what_nothing_may_accept(project: Path) -> None:
    accepted = project / "accepted.json"
    done = sandboxd("check", "--no-allow", "--write-baseline", accepted, "--reason", "old", project)
    assert done.code == 2 and "drop one of them" in done.err
    assert not accepted.exists()


@pytest.mark.parametrize("text", ['enforce = ["no-such-rule"]\n', "enforce = true\n", "enfroce=[]"])
def test_a_policy_that_is_not_clear_stops_the_check(project: Path, policy: Path, text: str) -> None:
    policy.write_text(text)
    for command in (("check", project), ("policy",)):
        done = sandboxd(*command)
        assert done.code == 2 and "the policy `" in done.err


def test_policy_says_what_of_a_project_does_not_count(project: Path, policy: Path) -> None:
    (project / "sandboxd.toml").write_text(f'{ALLOW}[rules]\n{RULE} = "off"\n')
    shown = sandboxd("policy", "explain", project).out
    assert f'enforce = ["{RULE}"]  ({policy})' in shown
    assert f"`[[allow]]` for {RULE} cannot make less of it: `{policy}`" in shown
    assert f"`[rules]` level `off` for {RULE} cannot make less of it" in shown
