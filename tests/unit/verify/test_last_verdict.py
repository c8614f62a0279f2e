"""The kept result of verify counts for the container that was attacked, and for no other."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.model.container import Container
from sandboxd.screen import duration
from sandboxd.status import verification as shown
from sandboxd.status.combine import Examined, combine
from sandboxd.status.model import Verification
from sandboxd.status.observe import Observed, Sandbox
from sandboxd.status.verification import sentence
from sandboxd.verify import last_verdict
from sandboxd.verify.verdict import Result, Verdict
from tests.unit.observe.test_inspection import recorded

INSPECTED = recorded("runc-dev")
NOW = 1_800_000_000.0
HELD = Result("x", "x", "held", "", "")
ESCAPED = Result("y", "y", "escaped", "", "")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two lines of a test no time passes."""
    monkeypatch.setattr(last_verdict, "time", SimpleNamespace(time=lambda: NOW))


def verdict(*results: Result) -> Verdict:
    return Verdict("c", "runc", "host", "dev", results)


def observed(inspected: dict[str, Any]) -> Sandbox:
    live = object()
    return Sandbox(True, live, (), inspected["Id"], last_verdict.identity(inspected))  # type: ignore[arg-type]


def _attacked() -> Sandbox:
    """With a container whose settings can be shown."""
    return observed(INSPECTED)._replace(container=Container("c", None))


def verification(sandbox: Sandbox, drift: tuple[str, ...] | None) -> Verification | None:
    return shown.verification(sandbox, drift, last_verdict.recall(sandbox.id))


def test_kept_and_found_again() -> None:
    assert verification(observed(INSPECTED), ()) is None
    last_verdict.keep(INSPECTED, verdict(HELD, HELD._replace(outcome="not-applicable")))
    verified = verification(observed(INSPECTED), ())
    assert verified is not None
    assert (verified.state, verified.tried) == ("held", 1)
    assert sentence(verified) == "held against 1 attempt to escape, 0 s ago"
    last_verdict.keep(INSPECTED, verdict(HELD, ESCAPED))
    verified = verification(observed(INSPECTED), ())
    assert verified is not None and verified.escaped == ("y",)
    assert sentence(verified).startswith("DID NOT HOLD")
    hint = combine("/p", Examined(profile="dev"), Observed({"/p": _attacked()})).hint
    assert "`sandboxd explain-plan`" in hint
    last_verdict.keep(INSPECTED, verdict(HELD._replace(outcome="inconclusive")))
    verified = verification(observed(INSPECTED), None)
    assert verified is not None and verified.state == "not shown"


@pytest.mark.parametrize("change", ["memory", "restart", "mount"])
def test_void_when_the_container_changed(change: str) -> None:
    last_verdict.keep(INSPECTED, verdict(HELD))
    now = copy.deepcopy(INSPECTED)
    if change == "memory":
        now["HostConfig"]["Memory"] = 1 << 20
    elif change == "restart":
        now.setdefault("State", {})["StartedAt"] = "2030-01-01T00:00:00Z"
    else:
        now["Mounts"][0]["RW"] = not now["Mounts"][0]["RW"]
    verified = verification(observed(now), ())
    assert verified is not None and verified.state == "void"


def test_void_when_the_plan_moved_on() -> None:
    last_verdict.keep(INSPECTED, verdict(HELD))
    verified = verification(observed(INSPECTED), ("memory: planned 8g, found 4g",))
    assert verified is not None and verified.state == "void"
    # What was attacked is this very container, also where that was done after the plan moved on.
    assert sentence(verified) == (
        "void: attacked 0 s ago, and it is not as asked for; `sandboxd up` makes it so"
    )


def test_what_escaped_is_said_of_a_container_that_is_not_as_planned_too() -> None:
    last_verdict.keep(INSPECTED, verdict(HELD, ESCAPED))
    verified = verification(observed(INSPECTED), ("memory: planned 8g, found 4g",))
    assert verified is not None and verified.escaped == ("y",)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"identity": "x", "escaped": 3}', "null"])
def test_a_file_that_is_wrong_is_no_result(text: str) -> None:
    last_verdict.keep(INSPECTED, verdict(HELD))
    (file,) = Path(os.environ["XDG_STATE_HOME"], "sandboxd/verified").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(text)
    assert last_verdict.recall(INSPECTED["Id"]) is None


def test_what_cannot_be_kept_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/none")
    last_verdict.keep(INSPECTED, verdict(HELD))
    assert last_verdict.recall(INSPECTED["Id"]) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(59, "59 s"), (60, "1 min"), (7200, "2 h"), (432_000, "5 d")]
)
def test_a_duration_has_one_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words
