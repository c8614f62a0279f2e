"""Profiles parsed, written, loaded and taken out, by a parser that is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import apparmor


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A parser that keeps what is loaded in a file, and refuses text with `broken` in it."""
    script, loaded = tmp_path / "apparmor_parser", tmp_path / "loaded"
    script.write_text(
        f"#!/bin/sh\nfor last; do :; done\n"
        f'grep -q broken "$last" && {{ echo "syntax error"; exit 1; }}\n'
        f'case "$1" in --replace) echo "$(basename $last) (enforce)" >{loaded} ;; '
        f"--remove) : >{loaded} ;; esac\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(apparmor, "_parser", lambda: str(script))
    monkeypatch.setattr(apparmor, "_LOADED", str(loaded))
    (tmp_path / "sandboxd-x").write_text("profile sandboxd-x {}\n")
    return tmp_path


def step(kernel: Path) -> apparmor.ProfileStep:
    return apparmor.ProfileStep(str(kernel / "sandboxd-x"), str(kernel / "apparmor.d"))


def test_loaded_kept_and_taken_out(kernel: Path) -> None:
    one = step(kernel)
    state = one.before()
    assert not one.is_done()
    one.do(lambda _: None)
    assert one.is_done()
    assert (kernel / "apparmor.d" / "sandboxd-x").read_text() == "profile sandboxd-x {}\n"
    one.undo(state, lambda _: None)
    assert not one.is_done() and not (kernel / "apparmor.d").exists()
    assert (kernel / "loaded").read_text() == ""


def test_a_profile_that_was_there_is_loaded_again(kernel: Path) -> None:
    target = kernel / "apparmor.d" / "sandboxd-x"
    target.parent.mkdir()
    target.write_text("profile sandboxd-x { old }\n")
    one = step(kernel)
    state = one.before()
    one.do(lambda _: None)
    one.undo(state, lambda _: None)
    assert target.read_text() == "profile sandboxd-x { old }\n"
    assert (kernel / "loaded").read_text() == "sandboxd-x (enforce)\n"


def test_what_does_not_parse_is_not_written(kernel: Path) -> None:
    (kernel / "sandboxd-x").write_text("broken")
    with pytest.raises(EnvironmentFailure, match="does not parse: syntax error"):
        step(kernel).do(lambda _: None)
    assert not (kernel / "apparmor.d").exists()


def test_a_kernel_without_apparmor_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apparmor, "_ENABLED", str(tmp_path / "enabled"))
    assert "never counted" in apparmor.why_not()
    (tmp_path / "enabled").write_text("Y\n")
    monkeypatch.setattr(apparmor, "_parser", lambda: None)
    assert "apt-get install apparmor" in apparmor.why_not()
    monkeypatch.setattr(apparmor, "_parser", lambda: "/bin/true")
    assert apparmor.why_not() == ""
