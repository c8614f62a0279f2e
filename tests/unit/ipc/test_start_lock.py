"""Who starts the daemon, while another one does."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sandboxd.errors import DaemonError
from sandboxd.ipc.start import _start_lock
from tests.patience import PATIENCE


def test_a_lock_that_is_not_given_up_is_not_waited_for_without_end(tmp_path: Path) -> None:
    folder, refusals = str(tmp_path), []

    def take() -> None:
        try:
            with _start_lock(folder, time.monotonic()):
                pass
        except DaemonError as error:
            refusals.append(error.message)

    with _start_lock(folder, time.monotonic()):
        # A thread that waits for ever fails its test, and does not hang with it.
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        assert refusals == ["another command has been starting the daemon for too long"]
    take()
    assert len(refusals) == 1, "it was free"
