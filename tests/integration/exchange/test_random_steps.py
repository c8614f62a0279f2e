"""Random steps of git on both sides of one work tree: both stay whole, no commit is lost, and both come to rest alike.

    SANDBOXD_FUZZ=1000 SANDBOXD_FUZZ_SEED=7 pytest tests/integration/exchange/test_random_steps.py

The steps follow from the seed alone. Inside, the host's objects are mounted read-only where the test may mount.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.exchange.outside_log import Log
from tests.integration.exchange.random_steps import SEED, Actors, of_ours_alone, play, steps
from tests.unit.exchange.two_sides import Sides, make

FORMS = {"files": (), "sha256": ("--object-format=sha256",), "reftable": ("--ref-format=reftable",)}


def test_a_write_from_inside_or_of_another_file_would_be_heard(tmp_path: Path) -> None:
    """Else the proof by the log could not fail."""
    sides = Sides(make(tmp_path), tmp_path)
    common = Path(sides.repository.common)
    for name, path in (("inside", "refs/heads/main"), ("exchange", "config")):
        log = Log(str(common))
        for phase in ("host", "inside", "exchange"):
            with log.phase(phase):
                if phase == "exchange":
                    sides.inside("commit", "--allow-empty", "-qm", name)
                    sides.exchange()
                if phase == name:
                    text = (common / path).read_bytes()
                    (common / path).write_bytes(b"x")
                    (common / path).write_bytes(text)
        with pytest.raises(AssertionError, match=path):
            of_ours_alone(log, read_only=True)
        log.close()


@pytest.mark.parametrize("form", FORMS)
def test_no_commit_is_lost_and_both_come_to_rest_alike(form: str, tmp_path: Path) -> None:
    play(Actors(tmp_path, SEED, *FORMS[form]), steps(25))
