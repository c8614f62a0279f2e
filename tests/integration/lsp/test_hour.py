"""An hour of work, played fast: what an editor shows is never wrong, late or stuck.

The same steps for the same seed. `SANDBOXD_HOUR_STEPS` and `SANDBOXD_HOUR_SEED` make it longer,
and another one.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import pytest

from tests.integration.lsp.hour import Hour
from tests.integration.lsp.raw import RawClient

STEPS = int(os.environ.get("SANDBOXD_HOUR_STEPS", "120"))
SEED = int(os.environ.get("SANDBOXD_HOUR_SEED", "4"))


@pytest.mark.parametrize("more", [[], ["--no-daemon"]], ids=["by a daemon", "alone"])
def test_what_is_shown_is_what_is_there(
    more: list[str], with_daemon: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RawClient(*more, environ=with_daemon) as client:
        client.initialize(
            {"general": {"positionEncodings": ["utf-16"]}},
            workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "x"}],
        )
        hour = Hour(client, tmp_path, with_daemon, SEED)
        hour.play(STEPS)
        waits = sorted(hour.waits)
        with capsys.disabled():
            if STEPS > 120:
                print(f"\n{len(waits)} looks, {statistics.median(waits):.2f}, {waits[-1]:.2f} s")
        assert client.shut_down() == 0
