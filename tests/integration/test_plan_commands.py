"""doctor, init, generate and explain-plan as processes, on a machine whose engine does not answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.commands import sandboxd

HOSTS = Path(__file__).parents[1] / "hosts"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "weather"
    root.mkdir()
    assert sandboxd("init", root, "--image", "img:1").code == 0
    return root


def test_doctor_without_engine_says_why_and_exits_4() -> None:
    done = sandboxd("doctor")
    assert done.code == 4
    assert " ".join(done.out.split()).startswith(
        "no sandbox can run here: there is no container engine at `unix:///nonexistent/docker.sock`"
    )
    assert "install docker.io" in done.out


def test_doctor_as_json_and_back() -> None:
    done = sandboxd("doctor", "--raw")
    assert json.loads(done.out)["engine"]["failure"]["case"] == "absent"
    done = sandboxd("doctor", "--json", "--facts", HOSTS / "debian-13-stock-runsc-fails.json")
    data = json.loads(done.out)
    assert (done.code, data["gvisor"]) == (0, None)
    judged = {entry["runtime"]: entry for entry in data["runtimes"]}
    assert judged["runsc"]["usable"] is False
    assert judged["runsc"]["why"] and judged["runsc"]["fix"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "is no report"),
        (b"{", "is no report"),
        (b"\xff", "not UTF-8"),
        (None, "does not exist"),
    ],
)
def test_doctor_with_a_bad_report(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "facts.json"
    if content is not None:
        path.write_bytes(content)
    done = sandboxd("doctor", "--facts", path)
    assert done.code == 2 and message in done.err and "hint:" in done.err


def test_init_writes_once(project: Path) -> None:
    text = (project / "sandboxd.toml").read_text()
    assert 'profile = "dev"' in text and 'image = "img:1"' in text
    done = sandboxd("init", project)
    assert done.code == 2 and "exists already" in done.err
    assert (project / "sandboxd.toml").read_text() == text


def test_init_leaves_the_image_to_a_hand_written_file(tmp_path: Path) -> None:
    (tmp_path / ".devcontainer.json").write_text('{"image": "theirs"}')
    assert sandboxd("init", tmp_path, "--profile", "agent").code == 0
    text = (tmp_path / "sandboxd.toml").read_text()
    assert 'profile = "agent"' in text and "\nimage" not in text


def test_init_knows_its_profiles(tmp_path: Path) -> None:
    done = sandboxd("init", tmp_path, "--profile", "agnet")
    assert done.code == 2
    assert "there is no profile `agnet`" in done.err and "`seed-baseline`" in done.err
    assert list(tmp_path.iterdir()) == []


def test_generate_without_engine_falls_back_and_says_so(project: Path) -> None:
    done = sandboxd("generate", project)
    assert done.code == 0
    assert "wrote .devcontainer/devcontainer.json" in done.err
    assert "not in force  gVisor" in done.err
    assert "--runtime=runc" in (project / ".devcontainer/devcontainer.json").read_text()


def test_check_and_diff(project: Path) -> None:
    assert sandboxd("generate", project, "--check").code == 1
    assert sandboxd("generate", project).code == 0
    done = sandboxd("generate", project, "--check")
    assert (done.code, done.out) == (0, "") and "up to date" in done.err
    config = project / "sandboxd.toml"
    config.write_text(config.read_text().replace("img:1", "img:2"))
    done = sandboxd("generate", project, "--diff")
    assert done.code == 1
    assert '-  "image": "img:1",\n+  "image": "img:2",\n' in done.out
    assert sandboxd("generate", project, "--check").code == 1


def test_agent_needs_a_grant_where_there_is_no_gvisor(project: Path) -> None:
    config = project / "sandboxd.toml"
    config.write_text('profile = "agent"\nimage = "img:1"\n')
    done = sandboxd("generate", project)
    assert done.code == 4
    assert "profile `agent` needs gVisor, but there is no container engine" in done.err
    assert "--allow-runc" in done.err
    assert sandboxd("generate", project, "--allow-runc").code == 0


def test_a_mistake_in_the_config_names_its_place(project: Path) -> None:
    config = project / "sandboxd.toml"
    config.write_text('image = "i"\nruntme = "runc"\n')
    for command in ("generate", "explain-plan"):
        done = sandboxd(command, project)
        assert done.code == 2
        assert f"{config}:2:1: unknown key `runtme`; did you mean `runtime`?" in done.err
        assert "Traceback" not in done.err


def test_explain_plan_says_who_decided_what(project: Path) -> None:
    done = sandboxd("explain-plan", project)
    assert done.code == 0
    assert "cap_drop      ALL\n    profile dev: every capability" in done.out
    assert "image         img:1\n    config: asked for" in done.out
    assert "not in force:" in done.out
    data = json.loads(sandboxd("explain-plan", project, "--json").out)
    assert data["profile"] == "dev" and data["gvisor"] is False
    assert {"field": "cap_drop", "item": "ALL"}.items() <= data["reasons"][1].items() or any(
        reason["field"] == "cap_drop" for reason in data["reasons"]
    )


def test_explain_plan_shows_what_is_left_out(tmp_path: Path) -> None:
    (tmp_path / ".devcontainer.json").write_text(
        '{"image": "i", "privileged": true, "runArgs": ["--gpus=all"], "postCreateCommand": "\\u001b[2J"}'
    )
    (tmp_path / "sandboxd.toml").write_text("")
    done = sandboxd("explain-plan", tmp_path)
    assert "privileged: true: it switches off every control" in done.out
    assert "runArgs: --gpus=all" in done.out
    (tmp_path / ".devcontainer.json").write_text('{"image": "i", "runArgs": ["--privileged"]}')
    done = sandboxd("explain-plan", tmp_path)
    assert "runArgs: --privileged: it switches off every control" in done.out
    assert "\x1b" not in done.out


def test_explain_plan_admits_nothing_where_no_name_is_let_through(project: Path) -> None:
    config = project / "sandboxd.toml"
    plain = config.read_text()
    config.write_text(plain + "\n[network]\nallow = []\n")
    out = sandboxd("explain-plan", project).out
    assert "no name is let through by the plan" in out
    assert "what an allowed name admits" not in out
    (project / "pyproject.toml").write_text("[project]\n")
    config.write_text(plain)
    out = sandboxd("explain-plan", project).out
    assert "what an allowed name admits" in out
    assert "no name is let through" not in out


@pytest.mark.parametrize("command", ["doctor", "init", "generate", "explain-plan"])
def test_help(command: str) -> None:
    done = sandboxd(command, "--help")
    assert done.code == 0 and done.out.startswith(f"usage: sandboxd {command}")


@pytest.mark.parametrize("context", ["../..", "../link", "${localEnv:HOME}"])
def test_a_build_takes_no_folder_of_the_host(tmp_path: Path, context: str) -> None:
    root = tmp_path / "weather"
    (root / ".devcontainer").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path)
    (root / ".devcontainer/Dockerfile").write_text("FROM x")
    build = {"build": {"dockerfile": "Dockerfile", "context": context}}
    (root / ".devcontainer/devcontainer.json").write_text(json.dumps(build))
    done = sandboxd("generate", root)
    assert done.code == 2 and "lies outside of the workspace" in done.err
    build["build"]["context"] = ".."
    (root / ".devcontainer/devcontainer.json").write_text(json.dumps(build))
    assert sandboxd("generate", root).code == 0


def test_a_config_that_is_a_link_shows_nothing_of_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2 = 1\n")
    root = tmp_path / "w"
    root.mkdir()
    (root / "sandboxd.toml").symlink_to(tmp_path / "secret")
    done = sandboxd("generate", root)
    assert done.code == 2 and "is a symbolic link" in done.err
    assert "hunter2" not in done.out + done.err
