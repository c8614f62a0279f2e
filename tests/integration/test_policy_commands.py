"""trust, policy, and the command line that explain-plan prints, as processes; no engine answers."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.integration.commands import sandboxd


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "weather"
    root.mkdir()
    (root / "sandboxd.toml").write_text('image = "img:1"\nprofile = "trusted"\n')
    return root


@pytest.fixture
def policy() -> Path:
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
    path.parent.mkdir(parents=True)
    return path


def test_trust_from_the_first_refusal_to_the_last(project: Path) -> None:
    refused = sandboxd("explain-plan", project)
    assert (
        refused.code == 2 and "hint: look at the file, then run `sandboxd trust add`" in refused.err
    )
    assert "nothing is trusted" in sandboxd("trust").err
    added = sandboxd("trust", "add", "--yes", project)
    assert added.code == 0
    for line in (
        "cap drop: ALL -> none",
        "no new privileges: true -> false",
        "processes: 4096 -> none",
    ):
        assert line in " ".join(added.err.split())
    assert sandboxd("explain-plan", project).code == 0
    listed = sandboxd("trust", "list").out.splitlines()
    assert listed[0] == f"{project}: profile trusted: in force"
    assert "  cap drop: ALL -> none" in listed
    (project / "sandboxd.toml").write_text('image = "img:2"\nprofile = "trusted"\n')
    assert sandboxd("explain-plan", project).code == 2
    assert "void: the file changed or is gone" in sandboxd("trust").out
    assert "any more" in sandboxd("trust", "revoke", project).err
    assert sandboxd("trust").out == ""


def test_where_nobody_can_be_asked_nothing_is_granted(project: Path) -> None:
    refused = sandboxd("trust", "add", project)
    assert refused.code == 2
    assert "cap drop: ALL -> none" in " ".join(refused.err.split())
    assert "error: nobody is here to agree, so nothing was granted" in refused.err
    assert "`--yes`" in refused.err and "`--expect DIGEST`" in refused.err
    assert "nothing is trusted" in sandboxd("trust").err


def test_a_grant_is_for_what_was_looked_at(project: Path) -> None:
    looked = json.loads(sandboxd("trust", "add", project, "--json").out)
    assert (looked["needs_grant"], looked["granted"]) == (True, False)
    changes = {change["control"]: change for change in looked["changes"]}
    assert (changes["cap drop"]["before"], changes["cap drop"]["after"]) == ("ALL", "none")
    text = (project / "sandboxd.toml").read_text()
    (project / "sandboxd.toml").write_text(text + '[network]\nallow = ["evil.test"]\n')
    refused = sandboxd("trust", "add", project, "--expect", looked["digest"])
    assert refused.code == 2 and "does not ask for what was looked at" in refused.err
    assert "nothing is trusted" in sandboxd("trust").err
    (project / "sandboxd.toml").write_text(text)
    assert sandboxd("trust", "add", project, "--expect", looked["digest"]).code == 0
    assert json.loads(sandboxd("trust", "add", project, "--json").out)["granted"] is True
    assert sandboxd("trust", "list", "--json").code == 2


def test_what_needs_no_grant_gets_none(project: Path, tmp_path: Path) -> None:
    (project / "sandboxd.toml").write_text('image = "img:1"\n')
    assert "profile `dev` needs no grant" in sandboxd("trust", "add", "--yes", project).err
    assert json.loads(sandboxd("trust", "add", project, "--json").out)["needs_grant"] is False
    bare = tmp_path / "bare"
    bare.mkdir()
    assert sandboxd("trust", "add", "--yes", bare).code == 2


def test_naming_a_profile_at_init_is_the_grant_for_what_it_writes(
    tmp_path: Path, policy: Path
) -> None:
    root = tmp_path / "mine"
    root.mkdir()
    done_init = sandboxd("init", root, "--profile", "trusted", "--image", "img:1")
    assert done_init.code == 0 and "no new privileges: true -> false" in done_init.err
    assert "trusted, since you named profile `trusted`" in done_init.err
    assert sandboxd("explain-plan", root).code == 0
    assert sandboxd("trust").out.startswith(f"{root}: profile trusted: in force\n  ")
    with (root / "sandboxd.toml").open("a") as file:
        file.write("# other bytes\n")
    assert sandboxd("explain-plan", root).code == 2
    (root / "sandboxd.toml").unlink()
    policy.write_text("trust = false\n")
    done_init = sandboxd("init", root, "--profile", "trusted", "--image", "img:1")
    assert done_init.code == 0 and "it is not trusted: the policy forbids grants" in done_init.err
    (root / "sandboxd.toml").unlink()
    done_init = sandboxd("init", root, "--image", "img:1")
    assert done_init.code == 0 and "trusted" not in done_init.err


@pytest.mark.parametrize("named", [("--profile", "dev"), ()])
def test_a_profile_that_the_policy_forbids_is_refused_at_init(
    tmp_path: Path, policy: Path, named: tuple[str, ...]
) -> None:
    policy.write_text('profiles = ["review", "agent"]\n')
    refused = sandboxd("init", tmp_path, *named, "--image", "img:1")
    assert refused.code == 2 and not (tmp_path / "sandboxd.toml").exists()
    assert refused.err.splitlines() == [
        f"error: profile `dev` is not allowed by `{policy}`",
        "hint: `sandboxd init --profile NAME` with one that is: `agent`, `review`",
    ]
    assert sandboxd("init", tmp_path, "--profile", "agent", "--image", "img:1").code == 0


def test_a_template_whose_profile_the_policy_forbids_says_so(tmp_path: Path, policy: Path) -> None:
    policy.write_text('profiles = ["review"]\n')
    done = sandboxd("init", tmp_path, "--template", "python")
    assert done.code == 0 and (tmp_path / "sandboxd.toml").exists()
    assert f"it cannot run as it is: profile `dev` is not allowed by `{policy}`" in done.err
    assert "  hint: set `profile` in sandboxd.toml to one that is: `review`" in done.err


def test_every_door_says_how_to_agree_to_what_a_file_loosens(project: Path) -> None:
    text = 'image = "img:1"\n[capabilities]\nadd = ["KILL"]\n'
    (project / "sandboxd.toml").write_text(text)
    for command in ("explain-plan", "generate"):
        refused = sandboxd(command, project)
        assert refused.code == 2 and "does not have `KILL`" in refused.err
        assert "`sandboxd trust add`" in refused.err
    added = sandboxd("trust", "add", "--yes", project)
    assert "capabilities: beside the profile's own, KILL" in added.err
    assert sandboxd("generate", project).code == 0


def test_policy_shows_who_demands_what_and_what_it_does(project: Path, policy: Path) -> None:
    shown = sandboxd("policy")
    assert shown.code == 0 and "nothing is demanded" in shown.err and str(policy) in shown.err
    policy.write_text('runtime = "gvisor"\nnetwork = "none"\ntrust = false\n')
    assert f'runtime = "gvisor"  ({policy})' in sandboxd("policy", "show").out
    assert sandboxd("trust", "add", "--yes", project).code == 2
    (project / "sandboxd.toml").write_text('image = "img:1"\n')
    explained = sandboxd("policy", "explain", project)
    assert explained.code == 0
    assert 'gvisor: "preferred" becomes "required"' in explained.out
    assert 'network: "allow" becomes "none"' in explained.out
    policy.write_text("nework = 1\n")
    for command in ("policy", "explain-plan"):
        done = sandboxd(command, *([project] if command == "explain-plan" else []))
        assert done.code == 2 and "unknown key `nework`" in done.err


def test_the_printed_command_line_is_one_for_a_shell(project: Path) -> None:
    text = 'image = "img:1"\n[environment]\nA = "it\'s $5"\nB = "\\u001b[2J"\n'
    (project / "sandboxd.toml").write_text(text)
    done = sandboxd("explain-plan", project, "--docker-run")
    assert done.code == 0 and "\x1b" not in done.out
    line = done.out.splitlines()[-1].replace("docker run", "printf '%s\\n'", 1)
    words = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert {"--env=A=it's $5", "--env=B=\x1b[2J", "img:1"} <= set(words.stdout.splitlines())


def test_the_printed_lines_make_what_the_plan_pins(project: Path) -> None:
    (project / "sandboxd.toml").write_text('image = "img:1"\n')
    (project / ".git").mkdir()
    done = sandboxd("explain-plan", project, "--docker-run")
    lines = [line for line in done.out.splitlines() if not line.startswith("docker run")]
    subprocess.run(["bash", "-c", "\n".join(lines)], check=True)
    assert (project / "commondir").is_dir() and (project / ".vscode").is_dir()
    # What has not the form of a repository is shut as a whole, and nothing is made in it.
    assert list((project / ".git").iterdir()) == []
    (git,) = [word for word in shlex.split(done.out) if ",target=/workspaces/weather/.git," in word]
    assert ",readonly," in git and ",volume-subpath=.git," in git
    assert f",volume-opt=device={project}," in git


def test_a_grant_says_where_the_work_of_its_file_goes(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "sandboxd.toml").write_text('image = "img:1"\n[where]\nkubernetes = "team"\n')
    assert sandboxd("trust", "add", project, "--yes").code == 0
    line = f"{project}: profile dev: in force; its work goes to the cluster of your context `team`"
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    unknown = sandboxd("trust", "list")
    assert unknown.out.startswith(
        f"{line}, whose namespace is not known: there is no kubeconfig at"
    )
    context = {"name": "team", "context": {"cluster": "c", "namespace": "shop"}}
    cluster = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    (tmp_path / "config").write_text(json.dumps({"contexts": [context], "clusters": [cluster]}))
    assert sandboxd("trust", "list").out == f"{line}, namespace `shop`\n"
    (project / "sandboxd.toml").write_text("[where]\nkubernetes = 'other'\n")
    assert sandboxd("trust").out.endswith("profile dev: void: the file changed or is gone\n")
