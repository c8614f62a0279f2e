"""The output of a command inside, as it comes, and the failure to start one, which the engine says there.

Imports nothing slow: `exec` may take little longer than the engine's own client."""

from __future__ import annotations

import os

from sandboxd.errors import EnvironmentFailure, SandboxdError

LONGEST_END = 16384
"""How many bytes of the end of a command's output are held for `sandboxd why`."""

_LAUNCH_FAILED = b"OCI runtime exec failed"


class CannotRun(EnvironmentFailure):
    """The command cannot be started; exits as a shell would: 127 not found, 126 otherwise."""

    def __init__(self, command: str, words: str) -> None:
        self.exit_code = 126
        if "chdir to cwd" in words or "initial working directory" in words:
            message = "the folder that you are in is not in the sandbox"
            hint = "go to the top of the project, or name one inside: `--workdir`"
        elif "not found" in words or "no such file" in words:
            self.exit_code = 127
            message = f"the sandbox has no program `{command}`"
            hint = "check its spelling, or use an image that has it"
            from sandboxd.model.labels import ASK_PROGRAM

            if command == os.path.basename(ASK_PROGRAM):
                hint = f"`{ASK_PROGRAM}` is it, where its folder is not in the image's PATH"
        elif (failure := _launch_failure(words)) is not None:
            message, hint = failure.message, failure.hint
        elif "permission denied" in words:
            message = f"`{command}` is no program that this user may start in the sandbox"
            hint = "check its permissions inside, or use `sandboxd exec --root`"
        else:
            message = (
                f"`{command}` cannot be started in the sandbox: {' '.join(words.split())[:300]}"
            )
            hint = "`sandboxd shell` opens a shell to look around"
        super().__init__(message, hint)


def _launch_failure(words: str) -> SandboxdError | None:
    from sandboxd.engine.failures import launch_failure

    return launch_failure(words)


class Output:
    """Our stdout and stderr; holds back the runtime's message about a command that cannot be started."""

    def __init__(self, limit: int = 0) -> None:
        """:param limit: how many bytes of the end of the output are kept, at least; 0 for none"""
        self.failure = ""
        self.end = bytearray()
        self._limit = limit
        self._is_at_start = True

    def write(self, stream: int, data: bytes) -> None:
        if self._is_at_start and data.startswith(_LAUNCH_FAILED):
            self.failure = data.decode("utf-8", "replace")
            return
        self._is_at_start = False
        _write(2 if stream == 2 else 1, data)
        if self._limit:
            self.end += data
            if len(self.end) > 2 * self._limit:
                del self.end[: -self._limit]


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            # Another process that shares the terminal or pipe made it non-blocking.
            import select

            select.select([], [descriptor], [])
