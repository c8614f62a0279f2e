"""Signals while the daemon works for a command: the first cancels the operation, the second ends this process.

Imports nothing slow."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` imports enum
import os

from sandboxd import terminal
from sandboxd.cli.interruption import Interrupted
from sandboxd.ipc import messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sandboxd.ipc.conversation import Conversation


class Signals:
    """Handlers of SIGINT, SIGTERM and SIGHUP, for the time of one operation.

    A signal that the caller made us ignore (`nohup`) stays ignored.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._before: dict[int, Any] = {}
        self._pipe = (-1, -1)
        self._wakeup_before = -1
        self.received = 0
        """The signal that came last, 0 for none."""

    def __enter__(self) -> Signals:
        self._pipe = os.pipe()
        for descriptor in self._pipe:
            os.set_blocking(descriptor, False)
        self._wakeup_before = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        self._conversation.waker = self._pipe[0]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._conversation.waker = -1
        for descriptor in self._pipe:
            os.close(descriptor)

    def _note(self, number: int, _frame: object) -> None:
        is_second = self.received != 0
        self.received = number
        if is_second:
            raise Interrupted(number)
        self._conversation.begin(messages.CANCEL, {})
        os.write(2, terminal.ENDING_SOON)
