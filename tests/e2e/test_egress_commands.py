"""A name from its denial inside to a rule of the project, on a live engine, with a daemon and without."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK
from sandboxd.file_lock import locked_beside
from sandboxd.model.labels import ASK_PROGRAM
from sandboxd.policy import approvals, floor
from tests.e2e import sandboxes
from tests.e2e.outside import Outside
from tests.e2e.test_egress import (
    busybox_image,
    engine,
    host_facts,
    internet,
    nothing_is_left,
    page,
    pytest_generate_tests,
    runtime,
)
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

__all__ = [
    "busybox_image",
    "engine",
    "host_facts",
    "internet",
    "nothing_is_left",
    "pytest_generate_tests",
    "runtime",
]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAME = "evil.test"


class Person:
    """Works in one project whose sandbox runs."""

    def __init__(self, world: World, project: Path) -> None:
        self.world, self.project = world, project

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.world.run(*words, cwd=self.project)

    def must(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done

    def inside(self, text: str) -> str:
        return self.run("exec", "-n", "sh", "-c", text).stdout

    def log(self) -> Any:
        return json.loads(self.must("egress", "log", "--json").stdout)

    def names(self) -> set[tuple[str, str]]:
        return {(line["outcome"], line["name"]) for line in self.log()["lines"]}


@pytest.fixture(params=["alone", "by the daemon"])
def person(
    request: pytest.FixtureRequest, world: World, project: Path, internet: Outside
) -> Iterator[Person]:
    config = project / "sandboxd.toml"
    config.write_text(config.read_text() + '\n[network]\nmode = "allow"  # by name\n')
    sandboxes.grant(project)
    if request.param == "by the daemon":
        world.start()
    else:
        # `up` tells a daemon that runs; here none does.
        assert world.pid() is None
    person = Person(world, project)
    person.must("up")
    try:
        yield person
    finally:
        person.run("down", "--discard")


def test_from_a_denial_to_a_rule(person: Person) -> None:
    assert person.inside(page(NAME)) == ""
    eventually(lambda: ("denied", NAME) in person.names())
    shown = person.must("egress", "log").stdout
    assert f"{NAME}" in shown and f"sandboxd egress allow {NAME}" in shown

    # Tries again and again from before the answer until it is let through.
    trying = person.world.popen(
        "exec", "-n", "sh", "-c", f"echo; until {page(NAME)} 2>/dev/null; do :; done",
        cwd=person.project,
    )  # fmt: skip
    assert trying.stdout is not None and trying.stdout.readline() == "\n"
    status_lines = person.must("egress", "allow", f"{NAME}:80", "--for", "1h").stderr
    assert "in force now" in status_lines
    assert trying.stdout.readline() == f"outside for {NAME}\n"
    assert trying.wait(PATIENCE) == 0
    eventually(lambda: ("reached", NAME) in person.names())

    assert "in force now" in person.must("egress", "deny", NAME).stderr
    assert person.inside(page(NAME)) == ""
    assert "in force now" in person.must("egress", "deny", "--undo", NAME).stderr

    person.must("egress", "promote", f"{NAME}:80")
    assert f'"{NAME}:80"]\n' in (person.project / "sandboxd.toml").read_text()
    assert person.inside(page(NAME)) == ""
    person.must("trust", "add", "--yes")
    person.must("up")
    assert person.inside(page(NAME)) == f"outside for {NAME}\n"
    assert "sandboxd.toml" in person.must("egress", "list").stdout


def test_an_approval_ends_by_itself(person: Person) -> None:
    for seconds in (4, 20, 100):
        person.must("egress", "allow", f"{NAME}:80", "--for", f"{seconds}s")
        if person.inside(page(NAME)):
            break
    else:
        pytest.fail("nothing is reached while the approval is in force")
    eventually(lambda: person.inside(page(NAME)) == "", seconds=4 * PATIENCE)
    eventually(lambda: person.run("egress", "check", f"{NAME}:80").returncode == 1)


def test_one_for_one_connection_is_used_up(person: Person) -> None:
    person.must("egress", "allow", f"{NAME}:80", "--once")
    assert person.inside(page(NAME)) == f"outside for {NAME}\n"
    assert person.inside(page(NAME)) == ""
    # Another answer, for who has no daemon that listens.
    person.must("egress", "deny", "other.test")
    eventually(lambda: NAME not in person.must("egress", "list").stdout)


def test_one_whose_use_could_not_be_noted_is_not_given_again(person: Person) -> None:
    """Another process holds the list of answers from before its use until after the end of the sandbox."""
    person.must("egress", "allow", f"{NAME}:80", "--once")
    answers = Path(floor.user_folder(person.world.environ), approvals.FILE_NAME)
    with locked_beside(str(answers)):
        assert person.inside(page(NAME)) == f"outside for {NAME}\n"
        person.must("down", "--discard")
    person.must("up")
    assert person.inside(page(NAME)) == ""


def test_an_open_network_that_is_taken_back_is_said_until_its_end(
    world: World, project: Path
) -> None:
    config = project / "sandboxd.toml"
    config.write_text(config.read_text() + '\n[network]\nmode = "open"\n')
    sandboxes.grant(project)
    person = Person(world, project)
    person.must("up")
    try:
        revoked = person.run("trust", "revoke")
        assert revoked.returncode == EXIT_NOT_HELD, revoked.stderr
        assert "its network is open until it ends" in revoked.stderr
    finally:
        person.run("down", "--discard")
    assert person.run("trust", "revoke").returncode == EXIT_OK


def test_a_question_from_inside_is_answered_outside(person: Person) -> None:
    asking = person.world.popen(
        "exec", "-n", ASK_PROGRAM, "egress", f"{NAME}:80", "--why", "to \x1b[2Jlearn", "--wait",
        cwd=person.project,
    )  # fmt: skip
    eventually(lambda: asking.poll() is not None or bool(person.log()["questions"]))
    assert asking.poll() is None, asking.communicate()
    (question,) = person.log()["questions"]
    assert (question["name"], question["port"]) == (NAME, 80)
    shown = person.must("egress", "log").stdout
    assert 'for: "to <U+001B>[2Jlearn"' in shown and "\x1b" not in shown
    person.must("egress", "allow", f"{NAME}:80")
    out, err = asking.communicate(timeout=PATIENCE)
    assert (asking.returncode, out) == (0, f"{NAME} can be reached at port 80\n"), err
    assert person.inside(page(NAME)) == f"outside for {NAME}\n"
    eventually(lambda: person.log()["questions"] == [])


def test_a_question_that_is_answered_no(person: Person) -> None:
    asking = person.world.popen(
        "exec", "-n", ASK_PROGRAM, "egress", NAME, "--why", "please", "--wait",
        cwd=person.project,
    )  # fmt: skip
    eventually(lambda: asking.poll() is not None or bool(person.log()["questions"]))
    assert asking.poll() is None, asking.communicate()
    person.must("egress", "deny", NAME)
    out, err = asking.communicate(timeout=PATIENCE)
    assert (asking.returncode, out) == (1, ""), err
    assert "a person said no" in err


def test_the_program_to_ask_with_cannot_be_changed_and_is_no_drift(person: Person) -> None:
    assert person.inside(f"echo evil > {ASK_PROGRAM} && echo written") == ""
    assert person.run("drift").returncode == 0, person.run("drift").stdout


def test_a_new_sandbox_has_the_answers_of_before(person: Person, api: Engine) -> None:
    person.must("egress", "allow", f"{NAME}:80")
    person.must("down")
    person.must("up")
    assert person.inside(page(NAME)) == f"outside for {NAME}\n"


def test_status_counts_what_was_denied(person: Person) -> None:
    person.inside(page(NAME))
    eventually(lambda: NAME in person.must("status").stdout)
    assert re.search(r"network +.* [1-9][0-9]* denied", person.must("status").stdout)


def test_the_log_goes_on_as_long_as_the_sandbox_runs(person: Person) -> None:
    following = person.world.popen("egress", "log", "--follow", cwd=person.project)
    assert following.stdout is not None
    person.inside(page(NAME))
    assert NAME in following.stdout.readline()
    assert following.stdout.readline().split() == ["sandboxd", "egress", "allow", NAME]
    person.must("down")
    assert following.wait(PATIENCE) == 0


@pytest.mark.parametrize("demand", ['network = "none"', 'network_allow = ["pypi"]'])
def test_what_a_policy_takes_away_ends_while_it_runs(
    world: World, project: Path, internet: Outside, demand: str
) -> None:
    config = project / "sandboxd.toml"
    config.write_text(config.read_text() + '\n[network]\nallow = ["allowed.test:80"]\n')
    sandboxes.grant(project)
    world.start()
    person = Person(world, project)
    person.must("up", "--allow-runc")
    policy = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
    ask = "wget -T 60 -q -O - http://allowed.test/ 2>&1"
    try:
        assert "outside for" in person.inside(ask)
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text(f"{demand}\n")
        eventually(lambda: "outside for" not in person.inside(ask))
    finally:
        policy.unlink(missing_ok=True)
        person.run("down", "--discard")
