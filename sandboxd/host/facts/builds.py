"""Compares a gVisor build that was tried on this machine with the current one, in one line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.host.facts import Runtime

UPDATE = "sudo sandboxd setup gvisor --update"
"""The command that installs the current build."""

_WEAKER = (
    ("exec_filter", "no filter in what `exec` and editors start"),
    ("own_network", "its own network is not used"),
    ("host_sockets", "sockets of the host are open"),
)


def shortfall(runtime: Runtime) -> str:
    """A line on what is weaker or slower with `runtime` than with the current build of gVisor.

    '' for nothing, and where the runtime's build was not tried.
    """
    if not runtime.premises or runtime.holds("exec_filter"):
        return ""
    weaker = [words for name, words in _WEAKER if not runtime.holds(name)]
    if not runtime.pins_hold():
        weaker.insert(0, "a plain read-only folder does not hold")
    slower = ""
    if runtime.directfs_off():
        slower = "; slower: files of the host, 3-4 x, since directfs is off"
    version = f" {runtime.version}" if runtime.version else ""
    return f"this gVisor build{version} is old. Weaker: {', '.join(weaker)}{slower}"
