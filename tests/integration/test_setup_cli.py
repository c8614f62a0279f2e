"""`sandboxd setup` and `recommend` as processes: plans, refusals, exit codes; nothing is changed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.cli import setup_run
from sandboxd.cli.main import build_parser, load_command
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.setup import apparmor, gvisor
from tests.forked import run_forked
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


def sandboxd(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_forked(arguments, cwd=ROOT, env=os.environ, timeout=2 * PATIENCE)


def run(*arguments: str) -> int:
    return setup_run.run(build_parser("setup", load_command("setup")).parse_args(arguments))


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    (tmp_path / "daemon.json").write_text('{"debug": true}\n')
    return [
        f"--daemon-json={tmp_path}/daemon.json",
        f"--socket={tmp_path}/none.sock",
        f"--state={tmp_path}/state",
    ]


@pytest.mark.parametrize("action", ["--apply", "--rollback"])
def test_without_root_the_plan_is_printed_and_the_exit_code_is_4(
    options: list[str],
    action: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    if action == "--rollback":
        from sandboxd.setup.journal import Journal

        Journal(f"{tmp_path}/state").start(gvisor.Options(source="distribution").as_json())
    assert run("gvisor", *options, "--source=distribution", action) == 4
    shown = capsys.readouterr()
    if action == "--apply":
        assert "register runsc-sandboxd with the engine" in shown.out
    assert f"`{action}` needs root" in shown.err and "sudo" in shown.err
    assert (tmp_path / "daemon.json").read_text() == '{"debug": true}\n'


def test_the_plan_of_the_official_repository_names_the_fingerprint(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("gvisor", *options, "--source=repository", "--key-fingerprint=AB CD") == 0
    shown = capsys.readouterr().out
    assert "refuse it unless its fingerprint is ABCD" in shown
    assert "the engine is not running" in shown and "The way back: --rollback" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--binary=x"], "belong together"),
        (["--source=moon"], "there is no source `moon`"),
    ],
)
def test_options_that_do_not_fit(options: list[str], arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("gvisor", *options, *arguments)


def test_another_source_needs_the_way_back_first(options: list[str], tmp_path: Path) -> None:
    from sandboxd.setup.journal import Journal

    Journal(f"{tmp_path}/state").start(gvisor.Options(source="distribution").as_json())
    with pytest.raises(UsageError, match="was set up here from `distribution`") as error:
        run("gvisor", *options, "--source=repository", "--apply")
    assert "--rollback" in error.value.hint


def test_an_engine_elsewhere_is_set_up_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://far:2376")
    with pytest.raises(UsageError, match="is on another machine"):
        run("gvisor", "--plan")


def test_verify_needs_the_engine(options: list[str]) -> None:
    with pytest.raises(EnvironmentFailure, match="does not answer"):
        run("gvisor", *options, "--verify")


def test_nothing_to_put_back(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("gvisor", *options, "--rollback") == 0
    assert "nothing to put back" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("distribution", "manager", "line"),
    [
        ("fedora", "dnf", "gvisor.tar.bz2.sha512"),
        ("rhel", "dnf", "gVisor has no labels"),
        ("arch", "pacman", "gvisor-bin from the AUR"),
        ("opensuse-tumbleweed", "zypper", "no package of gVisor"),
        ("nixos", "nix", "virtualisation.docker.daemon.settings.runtimes"),
    ],
)
def test_printed_plans(distribution: str, manager: str, line: str) -> None:
    plan = gvisor.printed_plan(HostFacts(distribution=distribution, package_manager=manager))
    assert plan is not None and any(line in step for step in plan)


@pytest.mark.parametrize("manager", ["apt", None])
def test_where_we_do_it_ourselves_nothing_is_printed(manager: str | None) -> None:
    assert gvisor.printed_plan(HostFacts(package_manager=manager)) is None


def test_apparmor_is_not_there_and_never_counted() -> None:
    why = apparmor.why_not()
    if not why:
        pytest.skip("this kernel has AppArmor")
    done = sandboxd("setup", "apparmor", "--apply")
    assert done.returncode == 4 and why in done.stderr


def test_our_apparmor_profiles_parse() -> None:
    messages = {path: apparmor.parse(path) for path in apparmor.profile_files()}
    if any("is missing" in text for text in messages.values()):
        pytest.skip("apparmor_parser is not installed")
    assert all(text == "" for text in messages.values()), messages


def test_recommend_of_a_recorded_host() -> None:
    report = "tests/hosts/ubuntu-24-04-gvisor.json"
    done = sandboxd("recommend", "--facts", report, "--for", "production", "--json")
    (row,) = json.loads(done.stdout)
    assert done.returncode == 0
    assert (row["runtime"], row["gvisor"]) == ("runsc-sandboxd", True)
    assert row["guide"].startswith("Production Linux")

    refused = sandboxd("recommend", "--facts", "tests/hosts/arch-linux.json", "--for", "agent")
    assert refused.returncode == 4 and "nothing may run" in refused.stdout

    unknown = sandboxd("recommend", "--for", "fun")
    assert unknown.returncode == 2 and "`development`" in unknown.stderr


def test_what_bench_measured_here_goes_before_the_guides_figures(own_home: Path) -> None:
    from sandboxd.cli.host_report import measured_costs

    assert measured_costs() == ()
    folder = own_home / "cache" / "sandboxd"
    folder.mkdir(parents=True)
    row = {"what": "git status", "runc_ms": 5.0, "gvisor_ms": 60.0}
    (folder / "bench.json").write_text(json.dumps({"when": "2026-11-25", "results": [row]}))
    (cost,) = measured_costs()
    assert (cost.what, cost.figure) == ("gVisor, git status", "12.0 x")
    assert "measured here" in cost.source


def test_doctor_of_a_recorded_host_names_the_way_out() -> None:
    done = sandboxd("doctor", "--facts", "tests/hosts/macos-docker-desktop-old.json")
    assert "CVE-2025-9074" in done.stdout and "repaired in 4.44.3" in done.stdout
    data = json.loads(sandboxd("doctor", "--json", "--facts", "tests/hosts/arch-linux.json").stdout)
    assert data["platform"] == "linux_native"
    assert [warning["ids"][0] for warning in data["warnings"]] == ["CVE-2026-93320"]


def test_graphics_processors_are_registered_only_where_there_is_a_driver(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["gvisor", *options, "--source=repository", "--nvproxy"]
    if not os.path.exists("/proc/driver/nvidia/version"):
        with pytest.raises(EnvironmentFailure, match="this machine has no driver of theirs"):
            run(*asked)
    monkeypatch.setattr(setup_run, "_refuse_without_driver", lambda: None)
    assert run(*asked) == 0
    assert "with --nvproxy=true; not passed in: devices of AMD and Intel" in capsys.readouterr().out
