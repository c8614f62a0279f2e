"""A shell script that signals processes inside a sandbox, which it finds by a variable in their environment. Pure.

Engines and clusters have no call for that, but another command of the same user can do it.
"""

from __future__ import annotations

import signal

NO_PROCESS = 3
"""An exit code that shells and engines do not use themselves."""

_ENDS = (signal.SIGTERM, signal.SIGKILL)


def signal_script(variable: str, number: int) -> str:
    """The script for `sh -c`. It exits with 0, or with `NO_PROCESS` if no process was signalled.

    Processes to be ended are stopped first, as a shell whose command ends before it would start the next command.

    :param variable: ``NAME=value``, of letters, digits and `_` only
    :param number: the signal's number
    """
    each = "for pid in $pids; do kill -{} $pid 2>/dev/null{}; done; "
    stop, go_on = (each.format(s, "") if number in _ENDS else "" for s in ("STOP", "CONT"))
    return (
        f"code={NO_PROCESS}; pids=; for file in $(grep -ls {variable} /proc/[0-9]*/environ); do "
        'file=${file#/proc/}; pids="$pids ${file%/environ}"; done; '
        f"{stop}{each.format(int(number), ' && code=0')}{go_on}exit $code"
    )
