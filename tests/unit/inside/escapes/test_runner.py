"""The runner that makes attempts inside, run here with attempts that do nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandboxd.verify import attempts, inside
from tests.patience import PATIENCE, eventually

HELPERS = ("_kernel",)


def run(
    sources: dict[str, str],
    seconds: float = PATIENCE,
    waiting: tuple[str, ...] = (),
    last: tuple[str, ...] = (),
) -> tuple[dict[str, Any], inside._Collector]:
    """Reports by attempt, through the same collector that reads a sandbox."""
    modules = {name: attempts._source(f"{name}.py") for name in HELPERS} | sources
    parcel = {
        "nonce": "word",
        "facts": {"canary": "/none"},
        "seconds": seconds,
        "attempts": [name for name in sources if name not in last],
        "waiting": waiting,
        "last": last,
        "modules": modules,
    }
    program = f"{attempts._source('_runner.py')}\n\nmain(json.loads({json.dumps(parcel)!a}))\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-"], input=program.encode(), capture_output=True, check=False
    )
    progress: list[tuple[int, int]] = []
    collector = inside._Collector("word", len(sources), lambda *at: progress.append(at))
    for byte in range(0, len(done.stdout), 7):
        collector.write(1, done.stdout[byte : byte + 7])
    collector.write(2, done.stderr)
    assert progress == [(i + 1, len(sources)) for i in range(len(collector.records))]
    return collector.records, collector


def test_those_that_wait_do_so_beside_the_others(tmp_path: Path) -> None:
    def waits(own: str, *others: str) -> str:
        """An attempt that ends only after the others have begun."""
        return (
            "import os, time\n"
            "def attempt(facts):\n"
            f"    open({str(tmp_path / own)!r}, 'w').close()\n"
            f"    while not all(map(os.path.exists, {[str(tmp_path / name) for name in others]})):\n"
            "        time.sleep(0.01)\n"
            "    return {}"
        )

    sources = {
        "long": waits("long", "other", "short"),
        "other": waits("other", "long", "short"),
        "short": waits("short"),
    }
    records, collector = run(sources, waiting=("long", "other"))
    assert collector.ended
    assert list(records) == ["short", "long", "other"]
    assert {record["state"] for record in records.values()} == {"done"}


def test_each_end_of_an_attempt_is_reported_as_its_state() -> None:
    records, collector = run(
        {
            "done": "def attempt(facts): return {'detail': facts['canary'], 'token': 't'}",
            "stopped": "import os\ndef attempt(facts): os.open('/none/none', os.O_RDONLY)",
            "own words": "def attempt(facts): raise OSError('at most 2 MiB')",
            "nothing": "from sandboxd.inside.escapes._kernel import NotApplicable\n"
            "def attempt(facts): raise NotApplicable('no such thing')",
            "unable": "from sandboxd.inside.escapes._kernel import Unable\n"
            "def attempt(facts): raise Unable('cannot')",
            "wrong": "def attempt(facts): return nonsense",
            "broken": "this is no python",
            "last": "def attempt(facts): return {}",
        }
    )
    assert records["done"]["state"] == "done"
    assert (records["done"]["detail"], records["done"]["token"]) == ("/none", "t")
    assert records["stopped"]["state"] == "stopped"
    assert records["stopped"]["detail"] == "no such file or directory"
    assert records["own words"]["detail"] == "at most 2 MiB"
    assert records["nothing"]["state"] == "not applicable"
    for name in ("unable", "wrong", "broken"):
        assert records[name]["state"] == "unclear", name
    assert records["last"]["state"] == "done"
    assert collector.ended
    assert collector.identity["boot_id"]
    assert collector.identity["namespaces"]["net"].startswith("net:[")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import time; time.sleep(600)", "no end within"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("import os; os._exit(3)", "code 3"),
        # Output of an attempt that goes wrong must not look like a report.
        ("import os; os.close(1); raise SystemExit", "SystemExit"),
    ],
)
def test_an_attempt_that_dies_or_hangs_does_not_stop_the_next(body: str, words: str) -> None:
    sources = {"bad": f"def attempt(facts):\n {body}", "good": "def attempt(facts): return {}"}
    # On a busy machine the good one may take longer than the first limit, too.
    for seconds in (2, 20) if "sleep" in body else (PATIENCE,):
        records, collector = run(sources, seconds)
        if records["good"]["state"] == "done":
            break
    assert records["bad"]["state"] == "unclear"
    assert words in records["bad"]["detail"]
    assert records["good"]["state"] == "done"
    assert collector.ended


def test_a_filter_that_kills_has_stopped_it() -> None:
    records, _ = run(
        {"bad": "import os, signal\ndef attempt(facts): os.kill(os.getpid(), signal.SIGSYS)"}
    )
    assert records["bad"]["state"] == "stopped"


def test_what_an_attempt_started_ends_with_it() -> None:
    source = (
        "import os, time\n"
        "def attempt(facts):\n"
        "    pid = os.fork()\n"
        "    if pid == 0: time.sleep(600)\n"
        "    return {'detail': str(pid)}"
    )
    # What it started keeps its report from ending before the limit.
    for seconds in (2, 20):
        records, _ = run({"forks": source}, seconds)
        pid = records["forks"]["detail"]
        if pid.isdecimal():
            break

    def has_ended() -> bool:
        words = ["ps", "-o", "stat=", "-p", pid]
        state = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        # Gone, or a zombie; further letters tell of its priority and session.
        return state.strip()[:1] in ("", "Z")

    # It is killed, and ends once it has a processor.
    eventually(has_ended)


def test_other_output_is_not_believed() -> None:
    collector = inside._Collector("word", 1, lambda *_: None)
    collector.write(1, b'{"kind": "attempt", "name": "x"}\nother {"kind": "end"}\nword')
    collector.write(1, b' {"kind": "attempt", "name": "a_b", "state": "done"}\n')
    assert list(collector.records) == ["a-b"]
    assert not collector.ended
    assert "kind" in collector.last_words()


def test_what_nothing_may_be_reported_after_is_made_behind_those_that_wait() -> None:
    nothing = "def attempt(facts): return {}"
    sources = {"last": nothing, "waits": nothing, "other": nothing}
    records, _ = run(sources, waiting=("waits",), last=("last",))
    assert list(records) == ["other", "waits", "last"]


def test_the_program_makes_each_attempt_once_and_that_of_setuid_programs_last() -> None:
    program = attempts.program(attempts.load(), {}, "word").decode()
    _, _, call = program.rpartition("\nmain(json.loads(")
    parcel = json.loads(ast.literal_eval(call.strip().removesuffix("))")))
    every = sorted(attempt.id.replace("-", "_") for attempt in attempts.load())
    assert sorted(parcel["attempts"] + parcel["last"]) == every
    assert parcel["last"] == ["setuid_program"]
    assert set(parcel["waiting"]) <= set(parcel["attempts"])


def test_the_program_tells_no_secret_and_stays_small() -> None:
    program = attempts.program(attempts.load(), {"canary": "/x"}, "word")
    compile(program, "program", "exec")
    assert len(program) < 200_000
