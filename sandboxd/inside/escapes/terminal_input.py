"""Type into the terminal that the sandbox was started from (TIOCSTI; CVE-2017-5226).

A terminal of the attempt's own is used; a kernel with `legacy_tiocsti=0` refuses.
"""

from __future__ import annotations

import fcntl
import os
import signal
import termios
from typing import Any

TITLE = "type into a terminal (TIOCSTI)"
JUDGE = "surface"
EXPECTED = {"runc": "open in every profile where the kernel has it", "runsc": "not implemented"}
DECLARED = {
    "*": "terminals need ioctl(2), and no filter looks at the request; commands get a terminal of their own",
}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    # The terminal's end hangs up its owner.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    controller, terminal = os.openpty()
    try:
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        fcntl.ioctl(terminal, termios.TIOCSTI, b"x")
    finally:
        os.close(terminal)
        os.close(controller)
    return {"detail": "TIOCSTI works"}
