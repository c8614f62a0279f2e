"""Which hooks run at a start, and what is said of those that do not."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import hook_record, hooks
from sandboxd.life.dotfiles import with_dotfiles
from sandboxd.life.hook_record import Record, Stage
from sandboxd.model.container import Pair
from sandboxd.model.remote import Command, Hook, Remote
from tests.unit.plan.examples import GVISOR, RUNC_GRANTED, plan

CREATED = Hook("postCreateCommand", "devcontainer.json", (Command("", ("a",), "a"),))


class Ended:
    """A command that wrote one line, and ended."""

    def __init__(self, word: str) -> None:
        self.word = word

    def hear(self, write: Callable[[int, bytes], None]) -> None:
        write(1, f"{self.word} says \x1b[31mred\n".encode())

    def code(self) -> int:
        return 3 if self.word == "fail" else 0

    def is_over(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


class Played:
    """A sandbox that notes what is asked of it."""

    key, user, option = "/w", "1000", " --on team"

    def __init__(self, name: str, started: str) -> None:
        self.id, self.started = name, started
        self.ran: list[str] = []
        self.signals: list[tuple[str, int]] = []
        self.surroundings: list[tuple[Mapping[str, str], str]] = []

    def own_environment(self) -> Sequence[str]:
        return ["PATH=/bin", "HOME=/h"]

    def ask(self, words: Sequence[str], _seconds: float, /) -> bytes:
        border = words[-1].split()[2].rstrip(";")
        return f"{border}PATH=/own:/bin\0SHELL=/bin/sh\0{border}".encode()

    def begin(self, words: Sequence[str], env: Mapping[str, str], folder: str, mark: str) -> Ended:
        assert mark.startswith("SANDBOXD_HOOK=")
        self.ran.append(words[0])
        self.surroundings.append((env, folder))
        return Ended(words[0])

    def signal(self, mark: str, number: int, _seconds: float) -> None:
        self.signals.append((mark, number))

    def network_now(self) -> object:
        return 7

    def refused_since(self, state: object) -> tuple[str, ...]:
        return (f"after.{state}.example",)


class World:
    """A sandbox in which hooks succeed; `ran` are those of the last start, `said` what was told."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"XDG_STATE_HOME": str(folder)}
        self.plan = plan('runtime = "runc"', GVISOR, grants=RUNC_GRANTED)._replace(runs_hooks=True)
        self.ran: list[str] = []
        self.said: list[str] = []

    def up(
        self, remote: Remote, started: str = "now", id: str = "one", **options: Any
    ) -> hooks.Failure | None:
        self.said.clear()
        self.place = Played(id, started)
        self.ran = self.place.ran
        return hooks.run(
            self.place, self.plan, remote, self.environ, self.said.append, lambda: None, **options
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_dotfiles_are_installed_in_a_container_that_was_made_without_them(world: World) -> None:
    remote = Remote((CREATED,))
    world.up(remote)
    assert world.ran == ["a"]
    world.up(with_dotfiles(remote, "ann/dots"))
    assert world.ran == ["/bin/sh"]
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
        "  hint: `sandboxd up --on team --recreate` makes it anew",
    ]


def test_dotfiles_that_nobody_waits_for_have_to_be_given_again(world: World) -> None:
    world.up(with_dotfiles(Remote((CREATED,)), "ann/dots"), until_ready=True)
    assert world.said == [
        "ready; left to the next `sandboxd up --on team`: postCreateCommand, dotfiles (by `--dotfiles` again)"
    ]


def test_a_hook_that_failed_before_is_told_of_as_one_that_did(world: World) -> None:
    failing = Remote((CREATED._replace(commands=(Command("", ("fail",), "fail"),)),))
    again: list[str] = []
    first = world.up(failing, tell_again=again.append)
    whole = ["postCreateCommand of devcontainer.json: `fail`", *world.said[1:]]
    assert world.said == whole and "fail says" in world.said[-1] and again == []
    assert world.up(failing, tell_again=again.append) == first
    assert (world.said, again) == ([], whole)
    # Without it as at the first run.
    assert world.up(failing) == first and world.said == whole


def test_a_failure_names_what_the_network_refused_meanwhile(world: World) -> None:
    failing = CREATED._replace(commands=(Command("", ("fail",), "fail"),))
    failure = world.up(Remote((failing,)))
    assert failure is not None and failure.refused == ("after.7.example",)


def test_commands_have_the_shells_environment_and_the_configs_over_it(world: World) -> None:
    env = (Pair("WHERE", "${containerEnv:HOME}/x"), Pair("PATH", "/mine"))
    world.up(Remote((CREATED,), env=env, folder="/workspaces/w/below"))
    variables = {"PATH": "/mine", "SHELL": "/bin/sh", "WHERE": "/h/x"}
    assert world.place.surroundings == [(variables, "/workspaces/w/below")]


def test_another_pod_or_container_is_another_record(world: World) -> None:
    assert world.up(Remote((CREATED,))) is None
    world.up(Remote((CREATED,)))
    assert world.ran == []
    world.up(Remote((CREATED,)), id="two")
    assert world.ran == ["a"]


def test_an_interrupt_ends_the_hooks_processes_and_it_runs_again(world: World) -> None:
    def interrupted(line: str) -> None:
        if "|" in line:
            raise KeyboardInterrupt

    started = Hook("postStartCommand", "devcontainer.json", (Command("", ("b",), "b"),))
    place = Played("one", "now")
    remote = Remote((CREATED, started))
    with pytest.raises(KeyboardInterrupt):
        hooks.run(place, world.plan, remote, world.environ, interrupted, lambda: None)
    assert [number for _, number in place.signals] == [signal.SIGTERM, signal.SIGKILL]
    record = hook_record.recall(world.environ, "/w", "one")
    assert record is not None and record.lines() == (
        "`postCreateCommand` of devcontainer.json was interrupted",
        "not run: `postStartCommand`",
    )
    world.up(remote)
    assert world.ran == ["a", "b"]


def test_what_an_interrupted_run_could_not_end_is_ended_before_the_next_one(world: World) -> None:
    """As where the connection to a cluster broke: the hook goes on inside, and no signal reaches it."""

    class Cut(Ended):
        def code(self) -> int:
            raise EnvironmentFailure("the connection broke off", "")

    class Unreachable(Played):
        def begin(self, words: Sequence[str], *more: object) -> Ended:
            self.ran.append(words[0])
            return Cut(words[0])

    place = Unreachable("one", "now")
    with pytest.raises(EnvironmentFailure, match="broke off"):
        hooks.run(
            place, world.plan, Remote((CREATED,)), world.environ, world.said.append, lambda: None
        )
    (mark, _), *_ = place.signals
    world.up(Remote((CREATED,)))
    assert world.place.signals == [(mark, signal.SIGTERM), (mark, signal.SIGKILL)]
    assert world.ran == ["a"]


@pytest.mark.parametrize("state", ["running", "interrupted"])
def test_what_a_killed_run_left_is_ended_before_the_next_one(
    world: World, state: Literal["running", "interrupted"]
) -> None:
    mark = "SANDBOXD_HOOK=1"
    left = Record("one", "now", {"postCreateCommand": Stage(state, "x", 0, mark)})
    hook_record.keep(world.environ, "/w", left)
    world.up(Remote((CREATED,)))
    assert world.place.signals == [(mark, signal.SIGTERM), (mark, signal.SIGKILL)]
    assert world.ran == ["a"]
