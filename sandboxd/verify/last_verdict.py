"""The last result of `verify` for each container, saved so that `status` can show it.

It is saved with an identity of the container as it was attacked, and does not apply to any other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_atomic
from sandboxd.folders import state_folder
from sandboxd.observe import inspection
from sandboxd.verify import proof

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.model.engine_answers import Inspected
    from sandboxd.verify.verdict import Verdict

_KEPT_SECONDS = 90 * 24 * 3600


class Verified(NamedTuple):
    """`when` is in seconds since 1970; `tried` counts the attempts that could be made, without those that the profile
    leaves open on purpose.
    """

    identity: str
    held: bool
    escaped: tuple[str, ...]
    unclear: int
    tried: int
    when: float
    outcomes: Mapping[str, str] = {}
    """The outcome of each attempt."""


def identity(inspected: Inspected) -> str:
    """The identity to which a result applies: this container, in this run, with these settings."""
    parts = (
        inspected.get("Id"),
        (inspected.get("State") or {}).get("StartedAt"),
        inspection.container(inspected),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def keep(inspected: Inspected, verdict: Verdict) -> None:
    """Save a verdict; errors are ignored."""
    record = {
        "identity": identity(inspected),
        "held": verdict.held,
        "escaped": [result.id for result in verdict.of("escaped")],
        "unclear": len(verdict.of("inconclusive")),
        "tried": len(verdict.results)
        - len(verdict.of("not-applicable"))
        - len(verdict.of("residual")),
        "when": time.time(),
        "outcomes": proof.outcomes(verdict),
    }
    folder = _folder()
    with contextlib.suppress(OSError, SandboxdError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _sweep(folder)
        write_atomic(_path(folder, inspected["Id"]), json.dumps(record).encode(), 0o600)


def recall(container: str) -> Verified | None:
    """The last result for the container with this id; None if there is none."""
    try:
        text = read_source(_path(_folder(), container)).text
        record = json.loads(text)
        return Verified(
            str(record["identity"]),
            bool(record["held"]),
            tuple(str(name) for name in record["escaped"]),
            int(record["unclear"]),
            int(record["tried"]),
            float(record["when"]),
            {str(name): str(outcome) for name, outcome in record["outcomes"].items()},
        )
    except (SandboxdError, ValueError, KeyError, TypeError, AttributeError):
        return None


def age_seconds(when: float) -> float:
    """The seconds since `when`, itself in seconds since 1970; 0 if the clock was set back since."""
    return max(0.0, time.time() - when)


def _folder() -> str:
    return os.path.join(state_folder(os.environ), "verified")


def _path(folder: str, container: str) -> str:
    return os.path.join(folder, f"{os.path.basename(container)}.json")


def _sweep(folder: str) -> None:
    """Forget containers that are long gone."""
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if time.time() - entry.stat().st_mtime > _KEPT_SECONDS:
                os.unlink(entry.path)
