"""A name that a sandbox gave a branch or tag drives no shell on the host: a Makefile that asks git for it runs none."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sandboxd.exchange import ref_names
from sandboxd.exchange import take as taking
from sandboxd.exchange.difference import Reason
from tests.unit.exchange.repositories import ENVIRON
from tests.unit.exchange.two_sides import Sides, make

BRANCH = "fix$(touch${IFS}PWNED)"
TAG = "v2;touch${IFS}PWNED;"
MAKEFILE = """BRANCH := $(shell git rev-parse --abbrev-ref HEAD)
image:
	@echo docker build -t app:$(BRANCH) .
"""


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    return sides


def test_a_makefile_of_the_host_runs_nothing_of_the_name_of_a_branch(sides: Sides) -> None:
    sides.write("Makefile", MAKEFILE)
    sides.inside("switch", "-qc", BRANCH)
    sides.inside("commit", "--allow-empty", "-qm", "work")
    outcome = sides.exchange()
    assert not outcome.host_followed
    assert {one.reason for one in outcome.waiting} == {Reason.SHELL}
    assert sides.host("branch", "--show-current") == "main\n"
    subprocess.run(["make", "image"], cwd=sides.folder, env=ENVIRON, check=True)
    assert not (sides.folder / "PWNED").exists()


@pytest.mark.parametrize("name", [f"refs/heads/{BRANCH}", f"refs/tags/{TAG}"])
def test_what_has_such_a_name_waits_under_one_that_can_be_typed_and_is_taken_by_it(
    sides: Sides, name: str
) -> None:
    oid = sides.inside("commit-tree", "-p", "main", "-m", "x", "main^{tree}").strip()
    sides.inside("update-ref", name, oid)
    (waiting,) = sides.exchange().waiting
    assert re.fullmatch(r"[a-zA-Z0-9/_-]+", waiting.ref)
    assert waiting.reason is Reason.SHELL
    rest = ref_names.parts_of(waiting.ref)[1]
    shown = taking.waiting(sides.repository, sides.place, "")
    (one,) = taking.take(sides.repository, sides.place, "", [rest], shown).takes
    assert re.fullmatch(r"refs/(heads|tags)/[a-zA-Z0-9_-]+", one.into)
    assert sides.host("rev-parse", one.into).strip() == oid
    assert not sides.exchange().waiting


def test_two_names_that_differ_in_such_characters_wait_apart() -> None:
    names = {ref_names.waiting("_", f"refs/heads/a{char}b") for char in "$`;&|<>(){}'\"!#"}
    assert len(names) == 15
    assert all(ref_names.is_allowed(name) for name in names)


def test_the_host_has_such_names_of_its_own(sides: Sides) -> None:
    sides.host("switch", "-qc", "fix#12")
    sides.host("commit", "--allow-empty", "-qm", "host")
    sides.exchange()
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    outcome = sides.exchange()
    assert outcome.host_followed
    assert sides.host("log", "-1", "--format=%s") == "inside\n"
