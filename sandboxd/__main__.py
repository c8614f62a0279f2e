"""Entry point. `status`, `check` and `lsp` must cost little more than Python itself."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

# A check of one file allocates less than this and ends; a check of thousands still collects.
_COLLECT_AFTER = 200_000


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:2] == ["status"]:
        from sandboxd.ipc.fast_status import fast_status

        code = fast_status(sys.argv[2:])
        if code is not None:
            return code
    if sys.argv[1:2] == ["lsp"]:
        from sandboxd.ipc.pipe import fast_lsp

        fast_lsp(sys.argv[2:])
    from sandboxd.cli.main import run

    if sys.argv[1:2] != ["check"]:
        return run(sys.argv[1:])
    import gc

    gc.set_threshold(_COLLECT_AFTER)
    return _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End the process now: taking the interpreter apart takes as long as checking a file."""
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105
            stream.flush()
        except OSError:  # the reader went away (`| head`), which is its own business
            pass
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
