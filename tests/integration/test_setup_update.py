"""`setup gvisor --update`: attacked before and after, and back where less holds; apt and the engine are played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.cli import setup_run, setup_update, setup_verify
from sandboxd.cli.main import build_parser, load_command
from sandboxd.errors import EnvironmentFailure
from sandboxd.host import probe as probe_module
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.setup import packages, register
from sandboxd.setup.gvisor import Options
from sandboxd.setup.step import Say, State

HOSTS = Path(__file__).parents[1] / "hosts"


class Build:
    """A step that exchanges the build that is written in a file."""

    id = "upgrade"
    title = "exchange the build"

    def __init__(self, path: Path) -> None:
        self._path = path

    def shows(self) -> tuple[str, ...]:
        return ("exchange it",)

    def is_done(self) -> bool:
        return False

    def before(self) -> State:
        return {"build": self._path.read_text()}

    def do(self, _say: Say) -> State:
        self._path.write_text("new")
        return {}

    def undo(self, state: State, _say: Say) -> None:
        self._path.write_text(state["build"])


class World:
    """The build that is here, what `verify` says of each, and the options of an update."""

    def __init__(self, folder: Path) -> None:
        self.build = folder / "build"
        self.build.write_text("old")
        self.codes = {"old": 0, "new": 0}
        self.attacked: list[str] = []
        self.options = Options(state=f"{folder}/state/gvisor")

    def verify(self, _place: object, _image: object) -> int:
        self.attacked.append(self.build.read_text())
        return self.codes[self.build.read_text()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(setup_verify, "verify", world.verify)
    monkeypatch.setattr(setup_update, "steps", lambda _options: [Build(world.build)])
    monkeypatch.setattr(register, "registered", lambda _place: ("runsc-sandboxd",))
    monkeypatch.setattr(packages, "installed_version", lambda: "1.0")
    return world


def test_a_build_under_which_no_less_holds_stays_and_can_be_put_back(world: World) -> None:
    assert setup_update.update(world.options, None) == 0
    assert world.attacked == ["old", "new"]
    assert world.build.read_text() == "new"
    setup_update.roll_back(world.options)
    assert world.build.read_text() == "old"
    assert not setup_update.journal_of(world.options).exists


@pytest.mark.parametrize(("old", "new"), [(0, 6), (0, 4), (4, 6)])
def test_a_build_under_which_less_holds_is_taken_back(world: World, old: int, new: int) -> None:
    world.codes = {"old": old, "new": new}
    with pytest.raises(EnvironmentFailure, match="less holds under the new build"):
        setup_update.update(world.options, None)
    assert world.build.read_text() == "old"
    assert not setup_update.journal_of(world.options).exists


@pytest.mark.parametrize(("old", "new"), [(6, 0), (6, 6), (4, 4)])
def test_a_weak_build_is_no_reason_to_refuse_one_that_is_no_weaker(
    world: World, old: int, new: int
) -> None:
    world.codes = {"old": old, "new": new}
    assert setup_update.update(world.options, None) == new
    assert world.build.read_text() == "new"


def test_the_way_back_leads_to_the_build_before_the_last_update(world: World) -> None:
    setup_update.update(world.options, None)
    world.build.write_text("newer")
    world.codes["newer"] = 0
    setup_update.update(world.options, None)
    setup_update.roll_back(world.options)
    assert world.build.read_text() == "newer"


def test_what_is_no_package_is_not_updated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installed_version", lambda: None)
    with pytest.raises(EnvironmentFailure, match="no package here") as error:
        setup_update.update(world.options, None)
    assert "--source repository" in error.value.hint


def test_a_rollback_takes_the_update_before_the_setup(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_run, "_is_root", lambda: True)
    setup_update.update(world.options, None)
    words = ["gvisor", "--rollback", f"--state={world.options.state}", f"--socket={tmp_path}/none"]
    assert setup_run.run(build_parser("setup", load_command("setup")).parse_args(words)) == 0
    assert world.build.read_text() == "old"


def test_a_file_is_taken_with_the_checksum_beside_it(tmp_path: Path) -> None:
    words = ["gvisor", f"--from={tmp_path}/gvisor.tar.bz2", f"--socket={tmp_path}/none"]
    options = setup_run._options(build_parser("setup", load_command("setup")).parse_args(words))
    assert options.binary == f"{tmp_path}/gvisor.tar.bz2"
    assert options.checksum_file == f"{tmp_path}/gvisor.tar.bz2.sha512"


def test_where_nothing_is_installed_gvisors_own_repository_is_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "find_runsc", lambda: None)
    monkeypatch.setattr(setup_run, "_printed_plan", lambda _options: None)
    words = ["gvisor", "--plan", f"--socket={tmp_path}/none", f"--state={tmp_path}/state"]
    assert setup_run.run(build_parser("setup", load_command("setup")).parse_args(words)) == 0
    shown = capsys.readouterr().out
    assert "add gVisor's repository to apt" in shown
    assert packages.KEY_FINGERPRINT in shown
    assert "fallback: the distribution's package: `--source distribution`" in shown
    assert "3-4 x slower" in shown


@pytest.mark.parametrize(("host", "is_enough"), [("2026", True), ("2024", False)])
def test_runtimes_of_ours_are_registered_only_where_they_are_needed(
    host: str, is_enough: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stock `runsc` of 2026 holds all that plans rely on, as it was recorded."""
    facts = from_raw(json.loads((HOSTS / f"debian-13-gvisor-{host}.json").read_text()))
    monkeypatch.setattr(probe_module, "probe", lambda _environ, trial: facts)
    options = Options(state=f"{tmp_path}/state", daemon_json=f"{tmp_path}/daemon.json")
    assert setup_run._good_enough(options) == ("runsc" if is_enough else "")
