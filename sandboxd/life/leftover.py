"""Ends an agent's run that its client left behind, before another run begins in the same sandbox."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING

from sandboxd.engine import execute
from sandboxd.engine.payload import interpreter, programs
from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import cache_folder

if TYPE_CHECKING:
    from sandboxd.review.collect import Inside

_GRACE_SECONDS = 5.0
"""Time between the request to end and the kill, for the agent to save its work."""
_TOTAL_SECONDS = 60.0


def end(inside: Inside, mark: str) -> int:
    """End the processes whose environment has `mark`, ``NAME=value``, and their descendants; return their number.

    This keeps two runs of an agent from undoing each other's work; it is no protection, since a program inside can hide
    from it. It runs with a Python of ours, as the image may have none.

    :raises EnvironmentFailure: some cannot be ended, or it cannot be determined whether any run
    """
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    source = programs.source_of("leftover")
    program = programs.with_task(source, {"nonce": nonce, "mark": mark, "seconds": _GRACE_SECONDS})
    tar = interpreter.archive(program, programs.imported_by([source]), cache_folder(os.environ))
    output = bytearray()

    def keep(_stream: int, piece: bytes) -> None:
        output.extend(piece)
        if len(output) > execute.MOST_BYTES:
            raise execute.TooMuch("what looks for the last run wrote without end")

    try:
        code = inside(["sh", "-c", interpreter.SCRIPT, "sh", nonce], tar, _TOTAL_SECONDS, keep)
    except TimeoutError:
        raise _unknown(f"no answer within {_TOTAL_SECONDS:g} s") from None
    count, left = _answer(bytes(output), nonce, code)
    if left:
        raise _unknown(f"{left} of its processes cannot be ended")
    return count


def _answer(output: bytes, nonce: str, code: int) -> tuple[int, int]:
    for line in output.splitlines():
        if line.startswith(nonce.encode() + b" "):
            try:
                answer = json.loads(line.partition(b" ")[2])
                return int(answer["count"]), int(answer["left"])
            except (ValueError, KeyError, TypeError, RecursionError):
                break
    words = output.decode("utf-8", "replace").strip()[-200:]
    raise _unknown(interpreter.REASONS.get(code) or words or f"exit code {code}")


def _unknown(why: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the agent of the run that was interrupted may go on inside: {why}",
        "`sandboxd restart` with the same `--name` ends all that runs there, and keeps the copy; then run this again",
    )
