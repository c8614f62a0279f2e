"""Waits until a service has started, is healthy, or has completed successfully."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected, State
    from sandboxd.plan.service import Need

HEALTHY_SECONDS = 300.0
"""Time limit for `healthy`, unless the project's health check needs longer; a new database is ready within a minute."""
COMPLETED_SECONDS = 600.0
"""Time limit for `completed`, as of migrations; a service that takes longer goes on, and `up` no longer waits for it.
"""

_ENDED = ("exited", "dead")
_REPORT_SECONDS = 10.0
_WORDS = {"healthy": "to be healthy", "completed": "to end"}
_MOST_WORDS = 300


def wait(
    engine: Engine,
    container: str,
    need: Need,
    progress: Callable[[str], None],
    check: Callable[[], None],
) -> str:
    """Wait until the service in `container` meets `need`.

    :param container: the container's name
    :param check: called while waiting; ends the wait by raising
    :returns: '' once it does; otherwise the reason why not, as a predicate to put behind the service's name
    """
    began = last_report = time.monotonic()
    limit = COMPLETED_SECONDS if need.condition == "completed" else HEALTHY_SECONDS
    while True:
        check()
        try:
            inspected = engine.inspect(container)
        except failures.ContainerGone:
            return "is gone"
        verdict = judge(inspected["State"], need)
        if verdict is not None:
            return f"{verdict}{last_words(engine, inspected)}" if verdict else ""
        now = time.monotonic()
        if now - began > limit:
            return (
                f"was waited for {limit:.0f} s {_WORDS[need.condition]}"
                f"{last_words(engine, inspected)}"
            )
        if last_report == began or now - last_report > _REPORT_SECONDS:
            last_report = now
            progress(f"waiting for `{need.service}` {_WORDS[need.condition]}")
        time.sleep(0.1)


def judge(state: State, need: Need) -> str | None:
    """Whether a container in `state` meets `need`.

    :returns: '' if it does, None if it still may, otherwise the reason why it no longer can, in words
    """
    has_ended = state.get("Status") in _ENDED
    if need.condition == "completed":
        return failure(state) if has_ended else None
    if has_ended:
        return failure(state) or "ended with exit code 0"
    if need.condition == "started":
        return ""
    health = state.get("Health")
    if not health or health.get("Status") in ("", "none"):
        return "has no health check, so it never is healthy"
    status = health.get("Status")
    if status == "unhealthy":
        return "is unhealthy"
    return "" if status == "healthy" else None


def early_end(engine: Engine, container: str) -> str | None:
    """The reason why the service in `container` failed, as a predicate to put behind its name.

    :param container: the container's name
    :returns: '' if it ended with exit code 0, None while it runs
    """
    try:
        inspected = engine.inspect(container)
    except failures.ContainerGone:
        return "is gone"
    if inspected["State"].get("Status") not in _ENDED:
        return None
    why = failure(inspected["State"])
    return f"{why}{last_words(engine, inspected)}" if why else ""


def failure(state: State) -> str:
    """How an ended service failed, as a predicate to put behind its name; '' if its exit code is 0."""
    if state.get("OOMKilled"):
        return "ended: out of memory"
    code = state.get("ExitCode", 0)
    return f"ended with exit code {code}" if code else ""


def last_words(engine: Engine, inspected: Inspected) -> str:
    """The last output of a service, after ``: ``; '' for none. If its health check wrote something, that is used
    instead.
    """
    state = inspected["State"]
    has_ended = state.get("Status") in _ENDED
    log = [] if has_ended else (state.get("Health") or {}).get("Log") or []
    output = str(log[-1].get("Output") or "") if log else ""
    if not output.strip():
        pieces = engine.logs(str(inspected["Id"]), follow=False, tail="3")
        output = b"".join(piece for _, piece in pieces).decode("utf-8", "replace")
    text = " ".join(output.split())
    return f": {text[-_MOST_WORDS:]}" if text else ""
