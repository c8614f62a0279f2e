"""Starts each sandbox on a copy of the project, and runs the same work in all of them.

What is measured is what `sandboxd up` would start: the planner's own container, in its own layout, with nothing left
out. Each round goes through all sandboxes, so that a machine that slows down meanwhile slows down for all of them.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sandboxd.bench import workload_list
from sandboxd.bench.changes import Change
from sandboxd.bench.results import COMMAND, Row, Trial, Variant
from sandboxd.engine import execute
from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.payload import interpreter, programs
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.life.up_down import down, up
from sandboxd.plan.plan import Plan
from sandboxd.policy.rights import Rights
from sandboxd.screen import cut

START = "start"
# A workload has three runs at least; the slowest take a second under gVisor.
_WORK_SECONDS = 120.0
COMMAND_SECONDS = 1800.0
_TAIL = 2000
_LONGEST_TITLE = 40
# Only the last bytes of a command's output are kept: a build may print a lot.
_QUIETLY = (
    '"$@" >/tmp/.sandboxd-bench 2>&1; code=$?; '
    f"[ $code = 0 ] || tail -c {_TAIL} /tmp/.sandboxd-bench; exit $code"
)


class Candidate(NamedTuple):
    """A sandbox to measure; its plan is for a copy of the project that is used by it alone."""

    variant: Variant
    plan: Plan
    rights: Rights


def measure(
    engine: Engine,
    candidates: Sequence[Candidate],
    command: Sequence[str],
    rounds: int,
    cache: str,
    progress: Callable[[str], None],
) -> tuple[tuple[Row, ...], tuple[Variant, ...]]:
    """Measure all candidates; returns the measurements, and the variants as they ran. All sandboxes are removed
    again.

    :param command: the user's command, measured in place of the workloads; () for the workloads
    :param cache: the folder that caches a Python to run inside
    :raises UsageError: the command fails
    :raises EnvironmentFailure: a sandbox cannot be started
    """
    starts: dict[str, list[float]] = {}
    try:
        running = [(c, _start(engine, c, rounds, starts, progress)) for c in candidates]
        if command:
            rows = _commands(engine, running, command, rounds, progress)
        else:
            rows = _workloads(engine, running, rounds, cache, progress)
    finally:
        _end(engine, candidates)
    start = Row(START, "starting the sandbox", "`sandboxd up`", starts, {})
    return (*rows, start), tuple(_as_run(c) for c in candidates)


def try_changes(
    engine: Engine,
    own: Candidate,
    changed: Sequence[tuple[Change, Candidate]],
    command: Sequence[str],
    rounds: int,
    progress: Callable[[str], None],
) -> tuple[Trial, ...]:
    """Time the user's command in the sandbox `own`, and in one with each change, one after the other in each round.

    Where a sandbox with a change does not start, or the command fails in it, its trial says so.

    :raises UsageError: the command fails in `own`
    """
    times: dict[str, list[float]] = {}
    why: dict[str, str] = {}
    everything = [own, *(candidate for _, candidate in changed)]
    try:
        running = [(own, _start(engine, own, 1, {}, progress))]
        for _, candidate in changed:
            try:
                running.append((candidate, _start(engine, candidate, 1, {}, progress)))
            except SandboxdError as error:
                why[candidate.variant.name] = error.message
        for turn in range(rounds + 1):
            for candidate, container in running:
                name = candidate.variant.name
                if name in why:
                    continue
                _tell_round(progress, turn, rounds, candidate)
                try:
                    milliseconds = _timed(engine, container, candidate, command)
                except UsageError as error:
                    if candidate is own:
                        raise
                    why[name] = error.message
                    continue
                if turn:
                    times.setdefault(name, []).append(milliseconds)
    finally:
        _end(engine, everything)
    row = Row(COMMAND, "", "", times, why)
    return tuple(_trial(change, row, candidate, own) for change, candidate in changed)


def _trial(change: Change, row: Row, candidate: Candidate, own: Candidate) -> Trial:
    name, base = candidate.variant.name, own.variant.name
    if name in row.why:
        return Trial(change.line, change.price, why=row.why[name])
    low, high = row.spread(name, base) or (None, None)
    ratio = row.ratio(name, base)
    return Trial(change.line, change.price, row.milliseconds(name), ratio, low, high)


def _end(engine: Engine, candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        with contextlib.suppress(SandboxdError):
            down(engine, candidate.plan.workspace, _quiet, discard=True)


def _start(
    engine: Engine,
    candidate: Candidate,
    rounds: int,
    starts: dict[str, list[float]],
    progress: Callable[[str], None],
) -> str:
    """Start a candidate once for each round; returns the id of the last container, which stays."""
    name = candidate.variant.name
    identity = ""
    for turn in range(rounds):
        progress(f"starting {candidate.variant.title}, {turn + 1} of {rounds}")
        if turn:
            down(engine, candidate.plan.workspace, _quiet, discard=True)
        began = time.perf_counter()
        identity = up(engine, candidate.plan, _quiet, rights=candidate.rights.gateway).id
        starts.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return identity


def _workloads(
    engine: Engine,
    running: Sequence[tuple[Candidate, str]],
    rounds: int,
    cache: str,
    progress: Callable[[str], None],
) -> list[Row]:
    rows = {w.name: Row(w.name, w.title, w.unit, {}, {}) for w in workload_list.load()}
    for turn in range(rounds):
        for candidate, container in running:
            progress(f"round {turn + 1} of {rounds}: {candidate.variant.title}")
            for record in _run_inside(engine, container, candidate.plan, cache):
                _note(rows, candidate.variant.name, record)
    return list(rows.values())


def _note(rows: dict[str, Row], variant: str, record: dict[str, object]) -> None:
    """Read a measurement from inside as a claim: only figures and short words are taken from it."""
    row, milliseconds = rows.get(str(record.get("name"))), record.get("milliseconds")
    if row is None:
        return
    if isinstance(milliseconds, float | int) and milliseconds > 0:
        row.times.setdefault(variant, []).append(float(milliseconds))
    else:
        row.why[variant] = str(record.get("why", "no figure came back"))[:200]


def _run_inside(engine: Engine, container: str, plan: Plan, cache: str) -> list[dict[str, object]]:
    """One round of all workloads in one sandbox, by an interpreter of ours."""
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    workspace = plan.container.working_dir.value if plan.container.working_dir else "/"
    program = workload_list.program(workspace, nonce)
    tar = interpreter.archive(program, workload_list.imports(), cache)
    code, output = _work(engine, container, ["sh", "-c", interpreter.SCRIPT, "sh", nonce], tar)
    records = []
    for line in output.splitlines():
        if line.startswith(f"{nonce} ".encode()):
            with contextlib.suppress(ValueError, RecursionError):
                record = json.loads(line.split(b" ", 1)[1])
                records += [record] if isinstance(record, dict) else []
    if not records:
        why = interpreter.REASONS.get(code) or output.decode("utf-8", "replace").strip()[-200:]
        raise EnvironmentFailure(
            f"the work cannot be done inside: {why or f'exit code {code}'}",
            "measure a command of your own: `sandboxd bench -- COMMAND`",
        )
    return records


def _work(engine: Engine, container: str, command: list[str], stdin: bytes) -> tuple[int, bytes]:
    request = Exec(command)
    try:
        return programs.output_of(engine, container, request, stdin, _WORK_SECONDS, "the workloads")
    except TimeoutError:
        raise EnvironmentFailure(
            f"the sandbox did not finish its work within {_WORK_SECONDS:g} s",
            "measure on a machine that does less beside it",
        ) from None


def _commands(
    engine: Engine,
    running: Sequence[tuple[Candidate, str]],
    command: Sequence[str],
    rounds: int,
    progress: Callable[[str], None],
) -> list[Row]:
    """Time the user's command; a first run fills caches and is not counted."""
    times: dict[str, list[float]] = {}
    for turn in range(rounds + 1):
        for candidate, container in running:
            _tell_round(progress, turn, rounds, candidate)
            milliseconds = _timed(engine, container, candidate, command)
            if turn:
                times.setdefault(candidate.variant.name, []).append(milliseconds)
    return [Row(COMMAND, cut(shlex.join(command), _LONGEST_TITLE), "one run", times, {})]


def _tell_round(
    progress: Callable[[str], None], turn: int, rounds: int, candidate: Candidate
) -> None:
    what = f"round {turn} of {rounds}" if turn else "first run, not counted"
    progress(f"{what}: {candidate.variant.title}")


def _timed(engine: Engine, container: str, candidate: Candidate, command: Sequence[str]) -> float:
    """The milliseconds that one run of the command takes; raises as `_run_command`."""
    began = time.perf_counter()
    _run_command(engine, container, candidate, command)
    return (time.perf_counter() - began) * 1000


def _run_command(
    engine: Engine, container: str, candidate: Candidate, command: Sequence[str]
) -> None:
    folder = candidate.plan.container.working_dir
    request = Exec(
        ["sh", "-c", _QUIETLY, "sh", *command], working_dir=folder.value if folder else "/"
    )
    code, output = execute.run_quietly(engine, container, request, COMMAND_SECONDS)
    if code:
        message = " ".join(output.decode("utf-8", "replace").split())[-300:]
        raise UsageError(
            f"`{' '.join(command)}` fails in {candidate.variant.title}: "
            + (message or f"exit code {code}"),
            "make it work first: `sandboxd up`, then `sandboxd exec -- COMMAND`",
        )


def _as_run(candidate: Candidate) -> Variant:
    runtime = candidate.plan.container.runtime
    return candidate.variant._replace(runtime=runtime.value if runtime else "")


def _quiet(_: str) -> None:
    """Drop messages about starting and stopping: here they are no news for the user."""
