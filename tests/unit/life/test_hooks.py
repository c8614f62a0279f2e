"""Which hooks run at a start, and what is said of those that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.life import hook_run, hooks, refused_names, user_environment
from sandboxd.life.dotfiles import with_dotfiles
from sandboxd.model.remote import Command, Hook, Remote
from tests.unit.plan.examples import GVISOR, RUNC_GRANTED, plan

CREATED = Hook("postCreateCommand", "devcontainer.json", (Command("", ("a",), "a"),))
ENGINE = cast("Engine", None)


class World:
    """A container in which hooks succeed; `ran` are those of the last start, `said` what was told."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"XDG_STATE_HOME": str(folder)}
        self.plan = plan('runtime = "runc"', GVISOR, grants=RUNC_GRANTED)._replace(runs_hooks=True)
        self.ran: list[str] = []
        self.said: list[str] = []

    def run(
        self, _engine: object, _inside: object, hook: Hook, *_: object
    ) -> hook_run.Ended | None:
        self.ran.append(hook.commands[0].written)
        return hook_run.Ended("", 3) if "fail" in self.ran[-1] else None

    def up(self, remote: Remote, started: str = "now", **options: bool) -> hooks.Failure | None:
        self.ran.clear()
        self.said.clear()
        inspected: Any = {"Id": "one", "State": {"StartedAt": started}, "Config": {}}
        return hooks.run(
            ENGINE,
            inspected,
            self.plan,
            remote,
            self.environ,
            self.said.append,
            lambda: None,
            **options,
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr(hook_run, "run", made.run)
    monkeypatch.setattr(user_environment, "remote_environment", lambda *_: {})
    monkeypatch.setattr(refused_names, "number_now", lambda *_: 7)
    monkeypatch.setattr(refused_names, "since", lambda *words: (f"after.{words[-1]}.example",))
    return made


def test_dotfiles_are_installed_in_a_container_that_was_made_without_them(world: World) -> None:
    remote = Remote((CREATED,))
    world.up(remote)
    assert world.ran == ["a"]
    world.up(with_dotfiles(remote, "ann/dots"))
    assert world.ran == ["https://github.com/ann/dots.git"]
    world.up(with_dotfiles(remote, "ann/dots"))
    assert world.ran == []
    assert world.said == ["not run: the installation of your dotfiles: they are there"]


def test_other_dotfiles_are_not_left_alone_without_a_word(world: World) -> None:
    world.up(with_dotfiles(Remote(), "ann/dots"))
    world.up(with_dotfiles(Remote(), "bob/dots"))
    assert world.ran == []
    assert world.said[0] == "not run: `dotfiles` was changed, and ran in this container before"


def test_a_hook_that_was_changed_since_it_ran_is_named_with_the_way_to_run_it(world: World) -> None:
    world.up(Remote((CREATED,)))
    world.up(Remote((CREATED,)))
    assert (world.ran, world.said) == ([], [])
    changed = CREATED._replace(commands=(Command("", ("b",), "b"),))
    world.up(Remote((changed,)))
    assert world.ran == []
    assert world.said == [
        "not run: `postCreateCommand` was changed, and ran in this container before",
        "  hint: `sandboxd up --recreate` makes it anew",
    ]


def test_dotfiles_that_nobody_waits_for_have_to_be_given_again(world: World) -> None:
    world.up(with_dotfiles(Remote((CREATED,)), "ann/dots"), until_ready=True)
    assert world.said == [
        "ready; left to the next `sandboxd up`: postCreateCommand, dotfiles (by `--dotfiles` again)"
    ]


def test_a_failure_names_what_the_network_refused_meanwhile(world: World) -> None:
    failing = CREATED._replace(commands=(Command("", ("fail",), "fail"),))
    failure = world.up(Remote((failing,)))
    assert failure is not None and failure.refused == ("after.7.example",)
    world.plan = world.plan._replace(egress=None)
    failure = world.up(Remote((failing,)))
    assert failure is not None and failure.refused == ("after.None.example",), "there is no gateway"
