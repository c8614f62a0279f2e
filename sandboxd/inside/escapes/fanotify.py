"""Watch every file of a file system (fanotify): also those of others."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "watch a whole file system (fanotify)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    report_file_ids = 0x200
    os.close(call("fanotify_init", report_file_ids, os.O_RDONLY))
    return {"detail": "a fanotify group can be made"}
