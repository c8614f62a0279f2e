"""`sandboxd status --watch` on a terminal: one screen, drawn again in place whenever something happens.

On the terminal's other screen, so that what was there before comes back at the end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, NoReturn

from sandboxd import terminal
from sandboxd.ipc.client import Client

AGAIN_SECONDS = 5.0
"""Ages are shown, too: they change though nothing happens."""

_TOGETHER_SECONDS = 0.05

# The other screen, no cursor, no wrapping of long lines; and back.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"


def possible() -> bool:
    """Whether stdout is a terminal that can be redrawn."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" and os.name == "posix"


def show(
    connection: Client,
    ask: Callable[[], str],
    describe: Callable[[str, Mapping[str, Any]], str],
) -> NoReturn:
    """Draw until Ctrl-C.

    :param ask: gives the text of the screen as it is now
    :param describe: gives one line for a notification, '' for one that is not to be shown
    :raises DaemonError: the daemon ended
    """
    last = ""
    with _screen() as wake:
        while True:
            _draw(ask(), last or "live; Ctrl-C ends")
            notification = connection.poll(AGAIN_SECONDS, (wake,))
            _empty(wake)
            # A checkout makes many: they are shown together.
            until = time.monotonic() + _TOGETHER_SECONDS
            while notification is not None:
                if line := describe(*notification):
                    last = f"{time.strftime('%H:%M:%S')}  {line}"
                notification = connection.poll(max(until - time.monotonic(), 0))


def _draw(text: str, footer: str) -> None:
    rows = _rows()
    lines = text.splitlines()
    if len(lines) > rows - 1:
        lines = [*lines[: max(rows - 2, 0)], f"... {len(lines) - rows + 2} more lines"]
    lines.append(f"\x1b[J{terminal.paint(terminal.one_line(footer), terminal.DIM)}")
    # Line by line, so that nothing flickers; erased before, since a full line leaves no place after.
    body = "\r\n".join(f"\x1b[K{line}" for line in lines[-rows:])
    sys.stdout.write(f"\x1b[H{body}")
    sys.stdout.flush()


def _rows() -> int:
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).lines, 2)
    except OSError:
        return 24


@contextlib.contextmanager
def _screen() -> Iterator[int]:
    """Use the alternate screen; yields a descriptor that is readable when the window changed."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    handlers = {
        signal.SIGWINCH: signal.signal(signal.SIGWINCH, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, _end),
        signal.SIGHUP: signal.signal(signal.SIGHUP, _end),
        signal.SIGTSTP: signal.signal(signal.SIGTSTP, _stop),
    }
    _write(_ENTER)
    try:
        yield reading
    finally:
        _write(_LEAVE)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Handle Ctrl-Z: restore the shell's screen, stop, and draw ours again afterwards."""
    _write(_LEAVE)
    os.kill(os.getpid(), signal.SIGSTOP)
    _write(_ENTER)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _write(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        os.write(sys.stdout.fileno(), text.encode("ascii"))


def _empty(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
