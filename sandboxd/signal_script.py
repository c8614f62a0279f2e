"""A shell script that signals processes inside a sandbox, which are known by a variable of their environment. Pure.

Engines and clusters have no call for that; another command of the same user can find and signal them."""

from __future__ import annotations

import signal

NO_PROCESS = 3
"""An exit code that neither a shell nor an engine gives by itself."""

_ENDS = (signal.SIGTERM, signal.SIGKILL)


def signal_script(variable: str, number: int) -> str:
    """The text for `sh -c`; it exits with 0, or with `NO_PROCESS` where no process was signalled.

    What is to end is stopped first: else a shell whose command ends before it goes on to the next one.

    :param variable: ``NAME=value``, of letters, digits and `_` only
    :param number: of the signal
    """
    each = "for pid in $pids; do kill -{} $pid 2>/dev/null{}; done; "
    stop, go_on = (each.format(s, "") if number in _ENDS else "" for s in ("STOP", "CONT"))
    return (
        f"code={NO_PROCESS}; pids=; for file in $(grep -ls {variable} /proc/[0-9]*/environ); do "
        'file=${file#/proc/}; pids="$pids ${file%/environ}"; done; '
        f"{stop}{each.format(int(number), ' && code=0')}{go_on}exit $code"
    )
