"""Measure what the sandbox costs for one project on this machine."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from sandboxd.engine.interruption import Step, interruptible, never, passing, silent
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import BenchOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.bench.candidates import Chosen
    from sandboxd.bench.results import Results, Row, Trial
    from sandboxd.engine.client import Engine
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.host.facts import HostFacts
    from sandboxd.operations.request import Request
    from sandboxd.plan.grants import Grants
    from sandboxd.project import Project

# It looks at the host by itself, right before it measures.
NEEDS_FACTS = False


def serve(request: Request) -> Results:
    """Run `bench` with `BenchOptions`."""
    options = request.read_options(BenchOptions)
    return bench(
        request.engine,
        request.directory,
        request.environ_of_caller(),
        command=options.command,
        rounds=options.rounds,
        copy_limit=options.copy_limit,
        plain=options.plain,
        allow_runc=options.allow_runc,
        progress=request.progress,
        cancel=request.cancel,
    )


def decode(document: Mapping[str, Any]) -> Results:
    """The `Results` in a document that `wire.encode` made."""
    from sandboxd.bench.results import Results, Row, Trial, Variant

    lists = {
        "trials": tuple(Trial(**trial) for trial in document["trials"]),
        "variants": tuple(Variant(**variant) for variant in document["variants"]),
        "rows": tuple(Row(**row) for row in document["rows"]),
        "left_out": tuple(document["left_out"]),
    }
    return Results(**{**document, **lists})


def bench(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    *,
    command: Sequence[str] = (),
    rounds: int = 5,
    copy_limit: int = 512 << 20,
    plain: bool = False,
    allow_runc: bool = False,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Results:
    """Run the same work in each kind of sandbox in turn, on copies of the workspace; all of them are removed
    afterwards.

    Where gVisor is slower for the user's own command, changes of the project's sandbox are tried as well. The figures
    are saved for `recommend`, the conclusion about the command also for `status`.

    :param command: the user's own command, in place of the built-in workloads; () for these
    :param rounds: how often each work is repeated
    :param copy_limit: the largest workspace that is copied, in bytes
    :param plain: also compare with plain Docker, in which `command` is never run
    :raises UsageError: the command fails, or the combination of arguments measures nothing
    :raises EnvironmentFailure: a sandbox cannot be started
    """
    if rounds < 1:
        raise UsageError(f"`--rounds {rounds}` measures nothing", "use 1 or more")
    if plain and command:
        raise UsageError(
            f"`{command[0]}` is not run in plain Docker, without the profile's controls",
            "leave `--plain` out, or the command",
        )
    cancel = cancel or never()
    results = _measure(
        interruptible(engine, cancel),
        directory,
        environ,
        command=command,
        rounds=rounds,
        copy_limit=copy_limit,
        plain=plain,
        allow_runc=allow_runc,
        progress=progress,
        cancel=cancel,
    )
    _remember(results, os.path.realpath(project_folder(directory)), environ)
    return results


def _measure(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    *,
    command: Sequence[str],
    rounds: int,
    copy_limit: int,
    plain: bool,
    allow_runc: bool,
    progress: Progress,
    cancel: Cancel,
) -> Results:
    import datetime
    import tempfile

    from sandboxd.bench import candidates, copies
    from sandboxd.bench.measure import measure
    from sandboxd.bench.results import Results
    from sandboxd.host.probe import probe
    from sandboxd.plan.grants import Grants
    from sandboxd.project import Project

    tell = passing(progress, cancel)
    project = Project.open(directory, environ)
    host = probe(environ, trial=True)
    cache = _cache(environ)
    scratch = tempfile.mkdtemp(prefix="bench-", dir=cache)
    try:
        grants = Grants(allow_runc=allow_runc)
        chosen = candidates.choose(project, host, grants, scratch, copy_limit, plain, tell)
        rows, variants = measure(engine, chosen.candidates, command, rounds, cache, tell)
        trials = _try_changes(
            engine, project, host, grants, chosen, rows, command, rounds, scratch, copy_limit, tell
        )
    finally:
        progress(Step("", is_passing=True))
        copies.remove(scratch)
        if os.path.isdir(scratch):
            progress(Step(f"left behind, since it belongs to another user: `{scratch}`"))
    for left_out in chosen.left_out:
        progress(Step(f"not measured: {left_out}"))
    return Results(
        os.path.basename(project.workspace),
        variants,
        rows,
        rounds,
        datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        _about(host),
        chosen.left_out,
        chosen.own,
        trials,
    )


def _try_changes(
    engine: Engine,
    project: Project,
    host: HostFacts,
    grants: Grants,
    chosen: Chosen,
    rows: Sequence[Row],
    command: Sequence[str],
    rounds: int,
    scratch: str,
    copy_limit: int,
    tell: Callable[[str], None],
) -> tuple[Trial, ...]:
    """The changes of the project's sandbox that were tried; () where gVisor costs nothing, or is not used."""
    from sandboxd.bench import candidates
    from sandboxd.bench.changes import changes, count_files, filled_folder
    from sandboxd.bench.measure import try_changes
    from sandboxd.bench.results import COMMAND, NOTHING, Trial, Variant

    own = next((each for each in chosen.candidates if each.variant.name == chosen.own), None)
    cost = next((row.ratio("gvisor", "runc") for row in rows if row.name == COMMAND), None)
    if own is None or own.variant.name != "gvisor" or cost is None or cost <= NOTHING:
        return ()
    filled = filled_folder(count_files(project.workspace), count_files(own.plan.workspace))
    failed: list[Trial] = []
    changed = []
    for change in changes(project.config, own.plan, filled):
        title = f"{own.variant.title} with `{change.line}`"
        variant = Variant(change.name, title, own.variant.profile)
        tell(f"copying the workspace for {title}")
        try:
            candidate = candidates.candidate(
                project, host, variant, "gvisor", grants, scratch, copy_limit, change
            )
        except UsageError as error:
            failed.append(Trial(change.line, change.price, why=error.message))
            continue
        changed.append((change, candidate))
    if not changed:
        return tuple(failed)
    return (*try_changes(engine, own, changed, command, rounds, tell), *failed)


def _cache(environ: Mapping[str, str]) -> str:
    """The user's cache folder.

    :raises EnvironmentFailure: there is none
    """
    from sandboxd.folders import cache_folder

    folder = cache_folder(environ)
    if folder is None:
        raise EnvironmentFailure(
            "there is no folder for the copies: neither XDG_CACHE_HOME nor HOME is set",
            "set HOME",
        )
    os.makedirs(folder, 0o711, exist_ok=True)
    return folder


def _about(host: HostFacts) -> dict[str, str]:
    """The circumstances that the figures depend on, as words for a report."""
    engine = host.engine
    versions = {r.name: r.version for r in engine.runtimes if r.version} if engine else {}
    return {
        "kernel": os.uname().release,
        "processors": str(os.cpu_count() or "unknown"),
        "engine": f"docker {engine.version}" if engine and engine.version else "unknown",
        **versions,
    }


def _remember(results: Results, workspace: str, environ: Mapping[str, str]) -> None:
    from sandboxd.bench.results import conclusion, figures_to_remember
    from sandboxd.files import write_atomic
    from sandboxd.state import measurement

    if (row := results.command) is not None:
        ratio = row.ratio("gvisor", "runc")
        last = measurement.Measurement(
            workspace, row.title, conclusion(results), results.when, ratio
        )
        with contextlib.suppress(OSError, SandboxdError):
            measurement.keep(environ, last)
        return
    with contextlib.suppress(OSError, EnvironmentFailure):
        data = json.dumps(figures_to_remember(results), indent=1).encode()
        write_atomic(os.path.join(_cache(environ), "bench.json"), data, 0o600)
