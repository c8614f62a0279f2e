"""Makes what one holder has what its sandbox may have: the only caller of `policy.reconcile`, whoever holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.operations import recording
from sandboxd.policy.reconcile import Record, reconcile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.policy.reconcile import Given, Step
    from sandboxd.policy.rights import Rights


def bring(
    wanted: Rights, given: Given, environ: Mapping[str, str], do: Callable[[Step], None]
) -> bool:
    """Have `do` take back and give, in the order of `reconcile`; returns whether there was anything to do.

    :param wanted: what the sandbox may have now
    :param given: what the holder has of it
    :param do: does one step, never one of `Record`
    :raises RecordFailure: what is new cannot be recorded, so that it is not given; what is taken back was taken
    """
    steps = reconcile(wanted, given)
    for step in steps:
        if isinstance(step, Record):
            sandbox = wanted.target.sandbox
            recording.before_widening(environ, sandbox, step.names, step.credentials)
        else:
            do(step)
    return bool(steps)
