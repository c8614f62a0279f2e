"""Halts by what git's config on the host comes to name, and what of it is put aside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.engine import failures
from sandboxd.halt import words
from sandboxd.halt.points import What
from sandboxd.halt.record import Owner, Reason
from tests.unit.halt.played import PlayedEngine
from tests.unit.halt.test_guard import environ, guard_of_repository, shared
from tests.unit.plan.test_git_control import git

__all__ = ["environ", "shared"]


def test_a_folder_of_hooks_that_the_config_comes_to_name_halts_and_stays_where_it_is(
    shared: Path, environ: dict[str, str]
) -> None:
    (shared / "scripts").mkdir()
    guard = guard_of_repository(PlayedEngine(), shared, made="2100-01-01T00:00:00Z")
    assert guard.lost() == ()
    with (shared / ".git/config").open("a") as file:
        file.write("[core]\n\thooksPath = scripts\n")
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and [entry.what for entry in halt.entries] == [What.NAMED]
    assert "`scripts`, which its config names since the start" in words.describe(halt)
    assert (shared / "scripts").is_dir()


def test_a_folder_of_hooks_that_was_made_ready_under_a_usual_name_is_put_aside(
    shared: Path, environ: dict[str, str]
) -> None:
    guard = guard_of_repository(PlayedEngine(), shared)
    (shared / "hooks").mkdir()
    (shared / "hooks/pre-commit").write_text("evil")
    # Also where the host tracks it by then, and by a config whose time a program inside set.
    git(shared, "add", "hooks")
    (shared / "more").write_text("[core]\n\thooksPath = hooks\n")
    os.utime(shared / "more", ns=(2**62, 2**62))
    with (shared / ".git/config").open("a") as file:
        file.write("[include]\n\tpath = ../more\n")
    os.utime(shared / ".git/config", ns=(2**62, 2**62))
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and not (shared / "hooks").exists()
    assert (shared / "hooks.halted/pre-commit").read_text() == "evil"


def test_a_folder_of_hooks_that_inside_makes_once_it_is_named_is_put_aside(
    shared: Path, environ: dict[str, str]
) -> None:
    engine = PlayedEngine()
    guard = guard_of_repository(engine, shared)
    with (shared / ".git/config").open("a") as file:
        file.write("[core]\n\thooksPath = tools/hooks\n")
    assert guard.has_lost()

    def plant() -> None:
        (shared / "tools/hooks").mkdir(parents=True)
        (shared / "tools/hooks/post-commit").write_text("evil")

    engine.while_pausing = plant
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    (entry,) = halt.entries
    assert (entry.path, entry.what) == ("tools/hooks", What.NAMED)
    assert (shared / "tools/hooks.halted/post-commit").read_text() == "evil"
    assert "`mv tools/hooks.halted tools/hooks` takes it if it is yours" in words.describe(halt)
    # What the host makes after the halt is its own.
    (shared / "tools/hooks").mkdir()
    assert guard.complete(environ, halt) == halt and (shared / "tools/hooks").is_dir()


@pytest.mark.parametrize("path", [".git/config", ".git/hooks/pre-commit", ".git/index"])
def test_a_second_name_of_what_git_on_the_host_reads_halts_and_leaves_it(
    shared: Path, environ: dict[str, str], path: str
) -> None:
    (shared / ".git/hooks").mkdir(exist_ok=True)
    (shared / ".git/hooks/pre-commit").write_text("#!/bin/sh\ntrue\n")
    git(shared, "update-index", "--force-write-index")
    guard = guard_of_repository(PlayedEngine(), shared)
    assert not guard.has_lost() and str(shared / path) in guard.lists()[0]
    (shared / "copy").hardlink_to(shared / path)
    assert guard.has_lost()
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    assert [(entry.path, entry.what) for entry in halt.entries] == [(path, What.LINKED)]
    assert f"look at `{path}` before you use git here" in words.describe(halt)
    assert (shared / path).stat().st_nlink == 2


def test_a_second_name_from_before_the_start_or_of_what_was_replaced_since_is_none(
    shared: Path,
) -> None:
    (shared / "copy").hardlink_to(shared / ".git/config")
    guard = guard_of_repository(PlayedEngine(), shared, made="2100-01-01T00:00:00Z")
    assert not guard.has_lost()
    guard = guard_of_repository(PlayedEngine(), shared)
    assert guard.has_lost()
    git(shared, "config", "branch.main.description", "x")
    assert not guard.has_lost()


def test_a_second_name_is_told_although_the_container_has_ended(
    shared: Path, environ: dict[str, str]
) -> None:
    engine = PlayedEngine()
    guard = guard_of_repository(engine, shared)
    (shared / "copy").hardlink_to(shared / ".git/config")
    engine.failure = failures.gone()
    assert guard.halt(environ, Owner.DAEMON, Reason.REPLACED) is not None
