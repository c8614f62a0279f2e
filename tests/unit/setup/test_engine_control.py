"""Reload first; a restart only where it stops nothing, or by the user's word."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import engine_control
from sandboxd.setup.engine_control import Control

OURS = {"runsc-sandboxd": {"path": "/usr/bin/runsc", "runtimeArgs": ["--directfs=false"]}}


def test_a_command_that_fails_says_what_it_wrote() -> None:
    message = engine_control._run(("sh", "-c", "echo no; echo such >&2; exit 3"))
    assert message == "`sh -c echo no; echo such >&2; exit 3` failed: no such"
    assert "exit code 4" in engine_control._run(("sh", "-c", "exit 4"))
    assert "failed: " in engine_control._run(("/no/such/program",))
    assert engine_control._run(("true",)) == ""


class Engine(Control):
    """An engine that knows `OURS` once the file `knows` is there."""

    folder: Path
    live_restore = False
    containers: tuple[str, ...] = ()

    def info(self) -> dict[str, Any] | None:
        there = (self.folder / "knows").exists()
        runtimes = {"runc": {"path": "runc"}} | (OURS if there else {})
        return {"Runtimes": runtimes, "LiveRestoreEnabled": self.live_restore}

    def running(self) -> list[str]:
        return list(self.containers)


Make = Callable[..., Engine]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def engine(reload: str, restart: str = "false", may_restart: bool = False) -> Engine:
        def command(text: str) -> tuple[str, ...]:
            return ("sh", "-c", text.replace("LEARN", f"touch {tmp_path}/knows"))

        control = Engine("unix:///x", command(reload), command(restart), may_restart, 0.3)
        control.folder = tmp_path
        return control

    return engine


def bring(engine: Engine, messages: list[str] | None = None) -> str:
    return engine_control.bring_to(
        engine, OURS, (), (messages if messages is not None else []).append
    )


def test_a_reload_is_enough(make: Make) -> None:
    assert bring(make("LEARN")) == "reload"


def test_a_restart_where_nothing_runs(make: Make) -> None:
    assert bring(make("true", "LEARN")) == "restart"


def test_a_restart_that_would_stop_containers_needs_a_word(make: Make) -> None:
    engine = make("true", "LEARN")
    engine.containers = ("web", "db")
    with pytest.raises(EnvironmentFailure, match="stops 2 containers: db, web") as error:
        bring(engine)
    assert "--restart" in error.value.hint and "live-restore" in error.value.hint
    assert not (engine.folder / "knows").exists()


def test_with_the_word_it_says_what_it_stops(make: Make) -> None:
    engine, messages = make("true", "LEARN", may_restart=True), list[str]()
    engine.containers = ("web",)
    assert bring(engine, messages) == "restart"
    assert "the restart stops: web" in messages


def test_live_restore_keeps_containers_alive(make: Make) -> None:
    engine = make("true", "LEARN")
    engine.containers, engine.live_restore = ("web",), True
    assert bring(engine) == "restart"


def test_an_engine_that_does_not_come_back(make: Make) -> None:
    with pytest.raises(EnvironmentFailure, match=r"did not come back within 0\.3 s"):
        bring(make("true", "true"))


def test_an_engine_that_cannot_be_restarted(make: Make) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot be made to read its config"):
        bring(make("false", "echo no service; false"))


def test_what_is_absent_is_asked_for(make: Make) -> None:
    engine = make("true")
    assert not engine_control.knows(engine, OURS, ())
    assert engine_control.knows(engine, {}, ("runsc-sandboxd",))
    (engine.folder / "knows").touch()
    assert engine_control.knows(engine, OURS, ())
    assert not engine_control.knows(engine, {}, ("runsc-sandboxd",))
    other = {"runsc-sandboxd": {"path": "/other", "runtimeArgs": ["--directfs=false"]}}
    assert not engine_control.knows(engine, other, ())


def test_a_reload_that_failed_counts_for_nothing(make: Make) -> None:
    """Whoever else made the engine know them may not have made it read our config."""
    assert bring(make("LEARN; false", "true")) == "restart"


@pytest.mark.parametrize("place", ["/var/run/docker.pid", "/run/docker.pid"])
def test_without_systemd_the_engine_of_either_usual_pid_file_is_told(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is the default of `dockerd --pidfile`; where `/var/run` is no link, the second is another."""
    (tmp_path / "pid").write_text("4242\n")
    told: list[tuple[int, int]] = []

    def only_there(path: str, **rest: Any) -> Any:
        if path != place:
            raise FileNotFoundError(path)
        return (tmp_path / "pid").open(**rest)

    monkeypatch.setattr(engine_control, "_systemctl", lambda _verb: ())
    monkeypatch.setattr(engine_control, "open", only_there, raising=False)
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    assert engine_control.reload(Control("unix:///x")) == ""
    assert told == [(4242, signal.SIGHUP)]


@pytest.mark.parametrize("content", [None, "", "no number"])
def test_without_systemd_and_a_pid_nobody_is_told(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "pid").write_text(content)
    monkeypatch.setattr(engine_control, "_systemctl", lambda _verb: ())
    monkeypatch.setattr(engine_control, "_PID_FILES", (str(tmp_path / "pid"),))
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    assert "neither systemd nor a pid file" in engine_control.reload(Control("unix:///x"))
