"""Sentences about a project's lifecycle hooks that did not run, or that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life import hook_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.status.combine import Examined
    from sandboxd.status.observe import Observed


def hooks_now(
    environ: Mapping[str, str], path: str, examined: Examined, observed: Observed
) -> tuple[str, ...]:
    """The sentences for the sandbox of `path`; () if all hooks ran well, or there are none."""
    live = observed.containers.get(path)
    is_live = live is not None and (live.running or live.paused)
    record = hook_record.recall(environ, path, live.id) if live is not None and is_live else None
    return (*(record.lines() if record is not None else ()), *examined.hooks_refused)
