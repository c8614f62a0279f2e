"""Makes SIGTERM and SIGHUP end a command as Ctrl-C does: what is half made is removed first."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` imports enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_ENDING = ("SIGTERM", "SIGHUP")


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end; `exit_code` is 128 plus its number, as in a shell."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def raise_on_signals() -> None:
    """Raise `Interrupted` in the main thread on signals that would end the process at once.

    A signal that the caller made us ignore (`nohup`) stays ignored.
    """
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) != signal.SIG_DFL:
            continue
        try:
            signal.signal(number, _raise)
        except ValueError:
            # Another thread than the main one, which may not.
            return


def _raise(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)
