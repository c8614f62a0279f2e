"""Attack the running sandbox from inside, and show whether it holds.

Every attempt is judged by its effect: a secret of the host that came back, a file of the host that
changed, the host's own kernel or namespace. What a profile leaves open on purpose is shown as
residual. Nothing on the host is changed.

Exit code 0: everything held. 6: something escaped. 4: it could not be shown that all held.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox

if TYPE_CHECKING:
    from sandboxd.plan.plan import Plan
    from sandboxd.sandbox.verify import Verdict

HELP = "attack the running sandbox and show whether it holds"

_COLOURS = {
    "held": (terminal.GREEN,),
    "escaped": (terminal.RED, terminal.BOLD),
    "residual": (terminal.YELLOW,),
    "not-applicable": (terminal.DIM,),
    "inconclusive": (terminal.YELLOW, terminal.BOLD),
}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--container", metavar="ID", help="any running container, by id or name")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.sandbox.run import locate
    from sandboxd.sandbox.verify import verify

    engine = _sandbox.connect()
    plan: Plan | None = None
    container = args.container
    if container is None:
        directory = _sandbox.folder(args)
        container = locate(engine, directory).id
        plan = _sandbox.plan(directory)
    # Ended by a signal, it still takes its canaries away.
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    verdict = verify(engine, container, plan, _progress)
    seconds = time.monotonic() - started
    if args.json:
        print(json.dumps(_as_json(verdict), indent=2))
    else:
        _table(verdict)
    _conclude(verdict, seconds)
    return verdict.exit_code


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\r\x1b[K" if done == total else ""
        sys.stderr.write(f"\r{done} of {total} attempts{end}")
        sys.stderr.flush()


def _as_json(verdict: Verdict) -> dict[str, object]:
    return {
        "version": 1,
        "container": verdict.container,
        "runtime": verdict.runtime,
        "kernel": verdict.kernel,
        "profile": verdict.profile,
        "attempts": [
            {
                "id": result.id,
                "title": result.title,
                "outcome": result.outcome,
                "expected": result.expected,
                "evidence": result.evidence,
            }
            for result in verdict.results
        ],
        "held": verdict.held,
    }


def _table(verdict: Verdict) -> None:
    profile = f"profile {verdict.profile}" if verdict.profile else "no profile"
    kernel = "a kernel of its own" if verdict.kernel == "own" else "the host's kernel"
    head = f"{verdict.container}: runtime {verdict.runtime}, {kernel}, {profile}"
    print(terminal.paint(terminal.printable(head), terminal.BOLD))
    id_width = max(len(result.id) for result in verdict.results)
    expected_width = min(40, max(len(result.expected) for result in verdict.results))
    space = terminal.width() - id_width - expected_width - 22
    print(f"{'ATTEMPT':<{id_width}}  {'EXPECTED':<{expected_width}}  {'OUTCOME':<14}  EVIDENCE")
    for result in verdict.results:
        outcome = terminal.paint(f"{result.outcome:<14}", *_COLOURS[result.outcome])
        evidence = terminal.printable(result.evidence).replace("\n", " ")
        if sys.stdout.isatty() and result.outcome in ("held", "not-applicable") and space > 20:
            evidence = evidence if len(evidence) <= space else evidence[: space - 1] + "…"
        expected = result.expected[:expected_width]
        print(f"{result.id:<{id_width}}  {expected:<{expected_width}}  {outcome}  {evidence}")


def _conclude(verdict: Verdict, seconds: float) -> None:
    from sandboxd.sandbox.judge import OUTCOMES

    counts = ", ".join(f"{len(verdict.of(o))} {o}" for o in OUTCOMES if verdict.of(o))
    terminal.status(f"{len(verdict.results)} attempts in {seconds:.1f} s: {counts}")
    escaped = [result.id for result in verdict.of("escaped")]
    unclear = verdict.of("inconclusive")
    if escaped:
        terminal.status(f"THE SANDBOX DID NOT HOLD: {', '.join(escaped)}")
    if unclear:
        reasons = "; ".join(dict.fromkeys(result.evidence for result in unclear))
        terminal.status(f"NOT SHOWN for {len(unclear)} attempts: {reasons}")
    if verdict.held:
        terminal.status("the sandbox held against every attempt that applies")
