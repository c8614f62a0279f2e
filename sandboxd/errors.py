"""Errors that a person can act on.

Every error names what is wrong with the user's own value in backticks, and carries a hint that
is the exact next step. The command line prints them and exits with `exit_code`; a traceback
never reaches a user.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_BUG = 3
EXIT_ENVIRONMENT = 4
EXIT_DAEMON = 5
EXIT_NOT_HELD = 6


class SandboxdError(Exception):
    """The base of all errors for the user: `message` is in lower case, without a full stop; `hint` is the next step or
    ''.
    """

    exit_code = EXIT_BUG
    option = ""
    """The option of `sandboxd up` and `agent` that mends it, for which a person may be asked; '' for none."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SandboxdError):
    """The command line or a config file asks for something that does not exist."""

    exit_code = EXIT_USAGE


class NoFolder(UsageError):
    """The folder of a project is not there, or cannot be looked at."""


class UnreadableError(SandboxdError):
    """A file that cannot be read as text: `message` is the reason, without the path."""

    exit_code = EXIT_USAGE


class MissingFileError(UnreadableError):
    """The named file does not exist."""

    def __init__(self, hint: str) -> None:
        super().__init__("does not exist", hint)


class EnvironmentFailure(SandboxdError):
    """The machine lacks something, such as an engine, a permission, an image or disk space."""

    exit_code = EXIT_ENVIRONMENT


class DaemonError(SandboxdError):
    """The daemon cannot be reached or does not answer as it should."""

    exit_code = EXIT_DAEMON


def too_large(limit: int) -> tuple[str, str]:
    """The message about a file of more than `limit` bytes, and the hint."""
    size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit >> 10} KiB"
    reason = f"is larger than {size}, too large for a config file"
    return reason, "check whether this is the file you meant"
