"""The next steps of `doctor` where a policy that cannot be read stops every start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.cli import host_report, main
from sandboxd.render.screens import doctor as doctor_screen

MACHINE = json.loads(Path("tests/hosts/debian-13-gvisor-2026.json").read_text())


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(host_report, "raw_facts", lambda *_, **__: MACHINE)
    path = tmp_path / "sandboxd/policy.toml"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize("words", [(), ("--long",)])
def test_a_faulty_policy_is_to_be_mended_first(
    policy: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    policy.write_text("this is no TOML\n")
    assert main.run(["doctor", *words]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"no sandbox starts: the policy `{policy}` is not valid TOML" in said
    assert "mend the policy: correct it" in said
    assert "sandboxd up" not in said.partition("mend the policy")[2]
    policy.write_text('runtime = "gvisor"\n')
    assert main.run(["doctor", *words]) == 0
    said = capsys.readouterr().out
    assert "sandboxd up" in said and "policy" not in said


def test_a_program_is_told_the_same(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy.write_text("colour = 1\n")
    assert main.run(["doctor", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["next"]
    assert steps[0].startswith("mend the policy: ")
    assert not any(step.endswith(doctor_screen._STOPPED_BY_POLICY) for step in steps)


def test_the_report_of_a_machine_has_no_policy(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text("this is no TOML\n")
    assert main.run(["doctor", "--facts", "report.json"]) == 0
    assert "policy" not in capsys.readouterr().out
