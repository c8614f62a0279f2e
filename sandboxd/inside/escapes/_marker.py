"""Finds the process that `verify` runs on the host: seen inside, it proves a shared pid namespace."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import other_processes, read_text


def find(facts: dict[str, Any]) -> tuple[int, str]:
    """Pid of the marker process, and the secret of its command line.

    :raises ProcessLookupError: it is not visible
    """
    for pid in other_processes():
        words = read_text(f"/proc/{pid}/cmdline").split("\0")
        if facts["marker"] in words[:-1]:
            return pid, words[words.index(facts["marker"]) + 1]
    raise ProcessLookupError("no process of the host is visible")
