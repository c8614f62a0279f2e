"""What the inside reports is bounded, and what is no report of ours is not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxd.backends.docker.in_replica import believable_identity, has_own_kernel
from sandboxd.engine import execute
from sandboxd.errors import EnvironmentFailure
from sandboxd.verify.inside import _Collector


def collector() -> _Collector:
    return _Collector("nonce", 2, lambda *_: None)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "1",
        "[" * 100_000,
        '{"kind": "identity"}',
        '{"kind": "identity", "namespaces": 1}',
        '{"kind": "identity", "namespaces": {"uts": [1]}}',
        '{"kind": "attempt"}',
        '{"kind": "attempt", "name": "x", "state": "done", "target": []}',
        '{"kind": "attempt", "name": 1, "state": "done"}',
        '{"kind": "attempt", "name": "x", "state": "won"}',
        '{"kind": "attempt", "name": "x", "state": []}',
        '{"kind": "attempt", "name": "x", "state": "done", "reached": 1}',
        '{"kind": "attempt", "name": "x", "state": "done", "reached": ["/a\\u0000b"]}',
        '{"kind": "attempt", "name": "x", "state": "done", "movable": [1]}',
    ],
)
def test_a_forged_report_is_no_crash(line: str) -> None:
    with pytest.raises(EnvironmentFailure, match="reports what no attempt of ours"):
        collector().write(1, f"nonce {line}\n".encode())


def test_a_report_is_taken() -> None:
    lines_of_runner = collector()
    record = {"kind": "attempt", "name": "pin_write", "state": "done", "reached": ["/a"]}
    lines_of_runner.write(1, f"nonce {json.dumps(record)}\nother words\n".encode())
    assert (
        lines_of_runner.records == {"pin-write": record}
        and lines_of_runner.last_words() == "other words"
    )


@pytest.mark.parametrize("stream", [1, 2])
def test_output_without_end_is_cut_off(stream: int) -> None:
    lines_of_runner = collector()
    with pytest.raises(execute.TooMuch):
        for _ in range(1000):
            lines_of_runner.write(stream, b"x" * 65536)
    assert len(lines_of_runner._line) <= execute.MOST_BYTES


@pytest.mark.parametrize(
    ("path", "claimed", "believed"),
    [
        ("/usr/bin/runc", "other", ""),
        ("runc", "host", "host"),
        ("/usr/bin/crun", "other", ""),
        ("/opt/docker-runc", "other", ""),
        ("youki", "other", ""),
        ("/opt/crun/runsc", "other", "other"),
        ("/usr/bin/runsc", "other", "other"),
        ("", "other", "other"),
    ],
)
def test_a_kernel_of_its_own_is_believed_only_where_the_runtime_can_give_one(
    path: str, claimed: str, believed: str
) -> None:
    identity: dict[str, Any] = {"boot_id": claimed, "namespaces": {}}
    assert believable_identity(identity, "host", path)["boot_id"] == believed


@pytest.mark.parametrize(
    ("inside", "host", "is_own"),
    [
        ("gVisor's", "the host's", True),
        ("the host's", "the host's", False),
        ("", "the host's", False),
        (None, "the host's", False),
        ("gVisor's", "", False),
        ("", "", False),
    ],
)
def test_a_kernel_is_its_own_where_both_are_known_and_differ(
    inside: str | None, host: str, is_own: bool
) -> None:
    identity = {} if inside is None else {"boot_id": inside}
    assert has_own_kernel(identity, host) is is_own
