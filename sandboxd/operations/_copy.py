"""Fills the copy that is kept the same when its sandbox starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine.timeline import span
from sandboxd.model.sandbox_id import name_option

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan


def fill(
    engine: Engine,
    plan: Plan,
    environ: Mapping[str, str],
    container: str,
    tell: Callable[[str], None],
    *,
    is_kept: bool,
) -> None:
    """Have both sides of the copy of `plan` equal, before anything of the project runs.

    :param is_kept: whether a daemon keeps them so from now on
    :raises EnvironmentFailure: they cannot be compared
    """
    from sandboxd.life import synced_copy
    from sandboxd.sync import last_state

    # What is kept the same may be another choice than at its creation.
    synced_copy.note(environ, plan, container)
    copy = synced_copy.record_of(environ, plan.sandbox, container)
    assert copy is not None
    with span("copy", "compare both sides"):
        problem = last_state.problem_of(synced_copy.compare(engine, environ, plan.sandbox, copy))
    if problem:
        tell(f"not kept the same: {problem}")
        tell(
            f"  hint: `sandboxd review{name_option(plan.sandbox)}` shows it, and takes your answer"
        )
    if not is_kept:
        tell(
            "no daemon runs: the copy is compared with your folder before and after each command alone"
        )
        tell("  hint: `sandboxd daemon start` keeps both the same all the time")
