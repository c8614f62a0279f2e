"""An unexpected error in the gateway is written where somebody may read it, and waits for nobody."""

from __future__ import annotations

import subprocess
import sys

from tests.patience import PATIENCE

_FAIL_WITH_A_FULL_LOG = """
import os
from sandboxd.egress.gateway.server import Gateway
reader, writer = os.pipe()
os.dup2(writer, 2)
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x" * 4096)
except BlockingIOError:
    os.set_blocking(2, True)
Gateway.failed(None, ValueError("what was sent"))
print("it goes on")
"""


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FAIL_WITH_A_FULL_LOG],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout == "it goes on\n"


def test_what_was_sent_is_not_written() -> None:
    text = (
        "from sandboxd.egress.gateway.server import Gateway\n"
        "Gateway.failed(None, ValueError('what was sent'))"
    )
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    assert "ValueError" in done.stderr and "what was sent" not in done.stderr
