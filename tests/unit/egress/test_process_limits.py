"""A process that holds secrets leaves no core dump, whatever limits it was started with."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux'")

_AFTER = """
import ctypes, os, resource
from sandboxd.egress.gateway.process_limits import leave_no_core
resource.setrlimit(resource.RLIMIT_CORE, ({hard}, {hard}))
if os.geteuid() == 0:  # root may raise a limit
    os.setgid(65534)
    os.setuid(65534)
prctl = ctypes.CDLL(None).prctl
prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE
leave_no_core()
print(*resource.getrlimit(resource.RLIMIT_CORE), prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.parametrize(
    ("hard", "after"),
    [
        pytest.param(1 << 20, "1 1 1", id="the limit that no program of the host gets one by"),
        pytest.param(0, "0 0 0", id="where that limit cannot be set the process is not dumped"),
    ],
)
def test_no_core_dump_is_left(hard: int, after: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    if os.geteuid() and resource.RLIM_INFINITY != most < hard:
        pytest.skip(f"the hard limit is {most} here, and root alone raises it")
    words = [sys.executable, "-c", _AFTER.format(hard=hard)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == after
