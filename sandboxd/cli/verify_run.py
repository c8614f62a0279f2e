"""A verification with its progress and its last lines, for `verify` and for `up --verify`."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from sandboxd.cli import reports, terminal

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan
    from sandboxd.verify.verdict import Verdict


_RESIDUAL = {
    "fresh": "attacked: a new container of the same plan, in which nothing of project or image ran",
    "own": "what ran in it before could have meddled: `sandboxd verify --fresh` attacks a new one",
    "image": "the image's own Python made the attempts and could answer falsely: "
    "`sandboxd verify --fresh` needs none",
}


def attack(engine: Engine, container: str, plan: Plan | None) -> tuple[Verdict, float]:
    """Make the attempts, keep the result, and say how long it took."""
    from sandboxd.verify import last_verdict
    from sandboxd.verify.verdict import verify

    reports.clean_up_when_ended()
    # Looked at first: a sandbox that ends in the middle is another one afterwards.
    inspected = engine.inspect(container)
    started = time.monotonic()
    verdict = verify(engine, container, plan, _progress)
    seconds = time.monotonic() - started
    last_verdict.keep(inspected, verdict)
    return verdict, seconds


def attack_fresh(engine: Engine, plan: Plan) -> tuple[Verdict, float]:
    """The same in a container of the plan that is made for it; the sandbox in use is left alone."""
    from sandboxd.host.folders import cache_folder
    from sandboxd.verify import fresh
    from sandboxd.verify.verdict import verify

    reports.clean_up_when_ended()
    started = time.monotonic()
    with fresh.sandbox(engine, plan, cache_folder(os.environ)) as container:
        verdict = verify(engine, container, plan, _progress, is_fresh=True)
    return verdict, time.monotonic() - started


def conclude(verdict: Verdict, seconds: float) -> None:
    """The last lines, for a person: counts, and each thing that is not as it should be."""
    from sandboxd.verify.judge import OUTCOMES

    counts = ", ".join(f"{len(verdict.of(o))} {o}" for o in OUTCOMES if verdict.of(o))
    terminal.status(f"{len(verdict.results)} attempts in {seconds:.1f} s: {counts}")
    escaped = [result.id for result in verdict.of("escaped")]
    unclear = verdict.of("inconclusive")
    if escaped:
        terminal.status(f"THE SANDBOX DID NOT HOLD: {', '.join(escaped)}")
    if unclear:
        reasons = "; ".join(dict.fromkeys(result.evidence for result in unclear))
        terminal.status(f"NOT SHOWN for {terminal.count(len(unclear), 'attempt')}: {reasons}")
    if verdict.held:
        terminal.status("the sandbox held against every attempt that applies")
    terminal.status(_RESIDUAL[verdict.python])


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\r\x1b[K" if done == total else ""
        sys.stderr.write(f"\r{done} of {total} attempts{end}")
        sys.stderr.flush()
