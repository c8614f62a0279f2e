"""What is remembered of hooks, and for how long it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.life import hook_record
from sandboxd.life.hook_record import Record, Stage

DONE = Stage("done")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


def test_a_record_is_of_one_container(environ: dict[str, str]) -> None:
    record = Record("one", "now", {"onCreateCommand": Stage("failed", "a `b`", 3, "m=1")}, ("x",))
    hook_record.keep(environ, "/w", record)
    assert hook_record.recall(environ, "/w", "one") == record
    assert hook_record.recall(environ, "/w", "two") is None
    assert hook_record.recall(environ, "/v", "one") is None
    path = next(Path(environ["XDG_STATE_HOME"]).rglob("*.json"))
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "change",
    [
        {"stages": {"onCreateCommand": {"state": "other"}}},
        {"stages": {"onCreateCommand": {"state": "done", "more": 1}}},
        {"stages": []},
        {"left": 3},
        {"workspace": "/other"},
    ],
)
def test_a_record_that_is_none_is_not_believed(
    environ: dict[str, str], change: dict[str, object]
) -> None:
    hook_record.keep(environ, "/w", Record("one", "now"))
    path = next(Path(environ["XDG_STATE_HOME"]).rglob("*.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert hook_record.recall(environ, "/w", "one") is None


def test_a_start_makes_the_start_hook_due_and_may_take_all_along() -> None:
    record = Record("one", "first", {"onCreateCommand": DONE, "postStartCommand": DONE})
    assert record.since("first", lasts=False) == record
    assert set(record.since("second", lasts=True).stages) == {"onCreateCommand"}
    assert set(record.since("second", lasts=False).stages) == set()


def test_failed_interrupted_and_missing_hooks_are_named() -> None:
    stages = {
        "onCreateCommand": DONE,
        "updateContentCommand": Stage("failed", "devcontainer.json", 7),
        "postAttachCommand": Stage("interrupted", "devcontainer.json"),
    }
    assert Record("one", "", stages, ("postCreateCommand",)).lines() == (
        "`updateContentCommand` of devcontainer.json ended with exit code 7",
        "`postAttachCommand` of devcontainer.json was interrupted",
        "not run: `postCreateCommand`",
    )
    assert Record("one", "", {"onCreateCommand": DONE}).lines() == ()
