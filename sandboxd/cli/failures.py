"""Stores a command that failed inside for `sandboxd why`, and names that on a terminal.

Loaded by every `exec`: what it needs is imported where something failed.
"""

from __future__ import annotations

import os
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def storing(
    directory: str, name: str, command: Sequence[str], user: str, *, names_why: bool
) -> Callable[[int, bytes], None]:
    """The function to call with the exit code of a command that begins now, and with the end of its output.

    :param names_why: whether to name `sandboxd why` on a terminal, if the output reads as if something was refused
    """
    began = time()

    def store(exit_code: int, output: bytes) -> None:
        if exit_code == 0:
            return
        from sandboxd.model.sandbox_id import name_option
        from sandboxd.observe.diagnosis.diagnose import may_be_blocked, plain_output
        from sandboxd.operations.why import keep_failure

        text = plain_output(output)
        sandbox = keep_failure(os.environ, directory, name, command, user, exit_code, text, began)
        # In a script, stderr is the command's.
        if names_why and os.isatty(2) and may_be_blocked(exit_code, text):
            from sandboxd import terminal

            terminal.status(
                f"hint: `sandboxd why{name_option(sandbox)}` says whether the sandbox blocked it"
            )

    return store
