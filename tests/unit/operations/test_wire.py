"""Results of operations arrive as they were sent."""

from __future__ import annotations

import json

from sandboxd.backends.backend import Comparison
from sandboxd.bench.results import Results, Row, Variant
from sandboxd.observe.control import Control
from sandboxd.observe.drift import Drift
from sandboxd.operations import bench, drift, verify, wire
from sandboxd.operations.started import Started
from sandboxd.operations.verify import Verified
from sandboxd.plan.reasons import Downgrade
from sandboxd.verify.verdict import Result, Verdict

CONTROL = Control("seccomp", "in force", 'by the host\'s "/proc"')


def test_a_verdict_and_a_comparison_come_back_whole() -> None:
    result = Result("raw-socket", "open a raw socket", "held", "no NET_RAW", "EPERM")
    verified = Verified(Verdict("box", "runc", "host", "dev", (result,), "plan"), 1.5, (CONTROL,))
    assert verify.decode(json.loads(json.dumps(wire.encode(verified)))) == verified
    compared = Comparison("/w", "box", (Drift("user", "1000", "0"),), (CONTROL,))
    assert drift.decode(json.loads(json.dumps(wire.encode(compared)))) == compared


def test_figures_come_back_whole() -> None:
    variants = (Variant("runc", "runc", "dev", "runc"), Variant("gvisor", "gVisor", "dev"))
    row = Row(
        "start", "start a process", "ms", {"runc": [1.5, 2.0], "gvisor": []}, {"gvisor": "no"}
    )
    results = Results("app", variants, (row,), 2, "2026-01-01", {"kernel": "6.1"}, ("plain: why",))
    assert bench.decode(json.loads(json.dumps(wire.encode(results)))) == results


def test_a_start_is_an_object() -> None:
    downgrade = Downgrade("network", "open", "set it")
    started = Started("id", "box", "created", "/w", "dev", "runc", (downgrade,))
    assert wire.encode(started) == {
        **started._asdict(),
        "downgrades": [downgrade._asdict()],
        "news": [],
        "left_out": [],
        "stand_ins": [],
        "ports": [],
        "addresses": [],
        "opened": [],
        "ports_left": [],
    }
