"""`./dev test`: what it installs and asks, and how it says what this machine cannot have."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import editors
from tools.engine import packages
from tools.engine.packages import InstallError
from tools.suite import needs, prepare, run
from tools.suite.needs import Lack, Package, Tool

ROOT = Path(__file__).resolve().parents[3]
FISH = Package("fish", "no-such-fish", "shell")
RUNSC = Package("runsc", "no-such-runsc", "gvisor")


class Machine:
    """A machine that lacks something, and what is asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.installed: list[str] = []
        self.absent: list[str] = []
        self.answer = True
        self.failure: InstallError | None = None
        monkeypatch.setattr(needs, "missing_packages", lambda: [FISH, RUNSC])
        monkeypatch.setattr(needs, "missing_tools", list)
        monkeypatch.setattr(needs, "out_of_reach", list)
        monkeypatch.setattr(prepare, "_pythons", list)
        monkeypatch.setattr(prepare, "IN_CI", False)
        monkeypatch.setattr(packages, "can_install", lambda: "")
        monkeypatch.setattr(packages, "install", self._install)

    def _install(self, names: list[str]) -> list[str]:
        if self.failure:
            raise self.failure
        self.installed += names
        return self.absent

    def confirmed(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer

    def prepare(self) -> list[Lack]:
        return prepare.prepare(self.confirmed)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_what_is_missing_is_named_asked_about_and_installed(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine.prepare() == []
    assert machine.installed == ["fish", "runsc"]
    assert machine.asked == ["install them with apt (no service is started)?"]
    assert "missing: fish runsc" in capsys.readouterr().err


def test_without_a_yes_nothing_is_installed_and_the_way_is_said(machine: Machine) -> None:
    machine.answer = False
    (lack,) = machine.prepare()
    assert machine.installed == []
    assert lack.markers == ("gvisor", "shell")
    assert "`apt-get install --no-install-recommends fish runsc` as root" in lack.why


def test_without_root_nothing_is_asked(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "can_install", lambda: "it needs root")
    (lack,) = machine.prepare()
    assert machine.asked == [] and lack.why.startswith("it needs root; ")


def test_what_apt_does_not_have_is_named_with_the_tests_that_need_it(machine: Machine) -> None:
    machine.absent = ["runsc"]
    assert machine.prepare() == [Lack("runsc", "apt has no such package", ("gvisor",))]


def test_a_failed_installation_stops_ci_and_nobody_else(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.failure = InstallError("the mirror is away")
    (lack,) = machine.prepare()
    assert "the mirror is away" in lack.why
    monkeypatch.setattr(prepare, "IN_CI", True)
    with pytest.raises(InstallError):
        machine.prepare()


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (Tool("editor", "node", lambda: True, lambda: None, "no-such-npm"), "`no-such-npm` is not"),
        (Tool("editor", "node", lambda: True, lambda: None, "", "only for x86_64"), "only for x86"),
    ],
)
def test_a_tool_that_cannot_be_installed_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tool: Tool, why: str
) -> None:
    monkeypatch.setattr(needs, "missing_packages", list)
    monkeypatch.setattr(needs, "missing_tools", lambda: [tool])
    (lack,) = machine.prepare()
    assert lack.what == "editor" and lack.why.startswith(why) and lack.markers == ("node",)


def test_nobody_is_asked_where_nobody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "IN_CI", False)
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert not prepare.asked("go on?")
    monkeypatch.setattr(prepare, "IN_CI", True)
    assert prepare.asked("go on?")


def test_every_package_says_how_it_is_seen_and_whose_tests_need_it() -> None:
    markers = {"", "engine", "gvisor", "node", "editor", "shell"}
    assert {package.marker for package in needs.PACKAGES} <= markers
    assert len({package.name for package in needs.PACKAGES}) == len(needs.PACKAGES)
    assert all(package.shown_by for package in needs.PACKAGES)
    for package in (*packages.REQUIRED, *packages.OPTIONAL):
        assert package in {each.name for each in needs.PACKAGES}


def test_vs_code_is_not_built_where_it_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editors, "CACHE", Path("/home/kim/my work/.dev/editors"))
    assert "a path with a blank" in editors.no_vscode()
    monkeypatch.setattr(editors, "CACHE", Path("/home/kim/work/.dev/editors"))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert editors.no_vscode() == ""
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert "only for x86_64" in editors.no_vscode()


def test_a_user_without_root_has_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOXD_TEST_DOCKER_HOST", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (lack,) = needs.out_of_reach()
    assert lack.markers == ("engine", "gvisor") and "sudo ./dev test" in lack.why
    monkeypatch.setenv("SANDBOXD_TEST_DOCKER_HOST", "unix:///given.sock")
    assert needs.out_of_reach() == []


SKIPS = """
import pytest
@pytest.mark.{marker}
def test_it():
    pytest.skip("no such thing")
"""


@pytest.mark.parametrize(
    ("marker", "lacks", "code"),
    [
        ("shell", [], 1),
        ("shell", [Lack("fish", "apt has no such package", ("shell",))], 0),
        ("editor", [Lack("fish", "apt has no such package", ("shell",))], 1),
    ],
)
def test_in_ci_only_what_cannot_be_had_may_be_skipped(
    tmp_path: Path, marker: str, lacks: list[Lack], code: int
) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPS.format(marker=marker))
    done = pytest_of(tmp_path, {**run._environ(lacks), "CI": "true"}, "-p", "tests.conftest")
    assert done.returncode == code, done.stdout
    assert "NOT CHECKED on this machine" in done.stdout or code
    for lack in lacks:
        assert f"without {lack}" in done.stdout


SKIPPING_FIXTURE = """
import pytest
@pytest.fixture
def {fixture}():
    pytest.skip("no such thing")
def test_it({fixture}):
    pass
"""


@pytest.mark.parametrize("fixture", ["engine", "own_engines", "runsc"])
def test_in_ci_a_fixture_that_asks_for_an_engine_may_not_skip_either(
    tmp_path: Path, fixture: str
) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPPING_FIXTURE.format(fixture=fixture))
    environ = {**run._environ([]), "CI": "true"}
    done = pytest_of(tmp_path, environ, "-p", "tests.conftest")
    assert done.returncode == 1 and "must not be skipped in CI" in done.stdout
    lack = Lack("an engine", "no root", ("engine", "gvisor"))
    environ = {**run._environ([lack]), "CI": "true"}
    assert pytest_of(tmp_path, environ, "-p", "tests.conftest").returncode == 0


CHILD = """
import signal, subprocess
def test_a_child_can_be_interrupted():
    child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == -signal.SIGINT
"""


def test_a_suite_that_a_script_started_in_the_background_can_interrupt_its_children(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_child.py").write_text(CHILD)
    done = pytest_of(tmp_path, dict(os.environ), "-p", "tests.conftest", ignored=signal.SIGINT)
    assert done.returncode == 0, done.stdout


def test_update_writes_what_is_asked_for_and_fails(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("old")
    (tmp_path / "test_pair.py").write_text(
        "import pathlib, pytest\n"
        "@pytest.mark.parametrize('name', ['one', 'two'])\n"
        "def test_it(name, expect):\n"
        "    expect(pathlib.Path(__file__).with_name(name), 'new')\n"
    )
    plugin = ("-p", "tests.expected")
    environ = dict(os.environ)
    assert pytest_of(tmp_path, environ, *plugin).returncode == 1
    done = pytest_of(tmp_path, environ, *plugin, "--update", "-k", "two")
    assert done.returncode == 1 and "was written: review" in done.stdout
    assert [(tmp_path / name).read_text() for name in ("one", "two")] == ["old", "new"]
    assert pytest_of(tmp_path, environ, *plugin, "-k", "two").returncode == 0
    done = pytest_of(tmp_path, environ, *plugin, "--update")
    assert "1 failed, 1 passed" in done.stdout
    assert pytest_of(tmp_path, environ, *plugin, "--update").returncode == 0


def pytest_of(
    folder: Path, environ: dict[str, str], *words: str, ignored: signal.Signals | None = None
) -> subprocess.CompletedProcess[str]:
    """pytest, without the plug-ins that it finds by itself, on the tests of a folder."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    shell\n    editor\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, str(folder)]
    if ignored:
        shell = f"trap '' {ignored.name.removeprefix('SIG')}; exec \"$@\""
        command = ["sh", "-c", shell, "sh", *command]
    return subprocess.run(
        command,
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
