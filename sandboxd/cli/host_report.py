"""The facts that `doctor` and `recommend` judge: this host's, or those of a report."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from sandboxd.errors import UnreadableError, UsageError

if TYPE_CHECKING:
    from sandboxd.host.facts import HostFacts
    from sandboxd.plan.recommend import Cost


def raw_facts(path: str | None, *, anew: bool = False) -> dict[str, Any]:
    """The raw answers of this host, every runtime tried; with `path`, those of a saved report.

    :param anew: try again what is remembered
    :raises UsageError: there is no report at `path`
    """
    if path is None:
        from sandboxd.host.probe import raw_facts as ask

        return ask(os.environ, trial=True, premises="all" if anew else "unknown")
    from sandboxd.files import read_source

    try:
        value = json.loads(read_source(path).text)
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(
            f"`{path}` is no report of `sandboxd doctor --raw`",
            f"make one: `sandboxd doctor --raw > {path}`",
        )
    return value


def facts_of(path: str | None) -> HostFacts:
    from sandboxd.host.facts.raw_answers import from_raw

    return from_raw(raw_facts(path))


def measured_costs() -> tuple[Cost, ...]:
    """The last measurements of `sandboxd bench`: of a command of the project here, and of this host.

    The file of the latter holds ``{"when": ..., "results": [{"what", "runc_ms", "gvisor_ms"}, ...]}``. () if none ran.
    """
    from sandboxd.folders import cache_folder
    from sandboxd.plan.recommend import Cost

    of_command = _cost_of_command()
    folder = cache_folder(os.environ)
    if folder is None:
        return of_command
    try:
        with open(os.path.join(folder, "bench.json"), "rb") as file:
            data = json.loads(file.read(1 << 20))
        when = str(data["when"])[:10]
        workloads = tuple(
            Cost(
                f"gVisor, {row['what']}",
                f"{row['gvisor_ms'] / row['runc_ms']:.1f} x",
                f"measured here by `sandboxd bench`, {when}",
            )
            for row in data["results"]
            if row["runc_ms"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return of_command
    return (*of_command, *workloads)


def _cost_of_command() -> tuple[Cost, ...]:
    from sandboxd.config.reading import nearest
    from sandboxd.plan.recommend import Cost
    from sandboxd.state import measurement

    here = os.path.realpath(os.getcwd())
    config = nearest(here)
    last = measurement.recall(os.environ, os.path.dirname(config) if config else here)
    if last is None or last.ratio is None:
        return ()
    source = f"measured here by `sandboxd bench -- COMMAND`, {last.when[:10]}"
    return (Cost(f"gVisor, `{last.command}`", f"{last.ratio:.1f} x", source),)
