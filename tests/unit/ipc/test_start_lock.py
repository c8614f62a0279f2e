"""Who starts the daemon, while another one does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sandboxd.errors import DaemonError
from sandboxd.ipc.start import _start_lock


def test_a_lock_that_is_not_given_up_is_not_waited_for_without_end(tmp_path: Path) -> None:
    folder = str(tmp_path)
    with (
        _start_lock(folder, time.monotonic()),
        pytest.raises(DaemonError, match="for too long"),
        _start_lock(folder, 0.0),
    ):
        pytest.fail("two have it")
    with _start_lock(folder, 0.0):
        pass
