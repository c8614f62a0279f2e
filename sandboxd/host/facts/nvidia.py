"""NVIDIA's software on a machine, from raw answers. Pure; tolerant of anything in a pasted report."""

from __future__ import annotations

import re

from sandboxd.host.facts import Nvidia

# Of the proprietary module and of the open one: "... Kernel Module  550.54.14  Thu ...",
# "... Open Kernel Module for x86_64  575.57.08  Release Build ...".
_DRIVER = re.compile(r"^NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s", re.MULTILINE)
_VERSION = re.compile(r"version (\d\S*)")


def nvidia(raw: object) -> Nvidia | None:
    """The facts in the part `nvidia` of raw answers; None where that was not asked for."""
    if not isinstance(raw, dict):
        return None
    driver, toolkit = raw.get("driver"), raw.get("toolkit")
    named = _DRIVER.search(f"{driver}\n") if isinstance(driver, str) else None
    version = _VERSION.search(toolkit) if isinstance(toolkit, str) else None
    # A toolkit that does not tell its version is there all the same.
    known = version[1] if version else "of unknown version" if toolkit else ""
    return Nvidia(named[1] if named else "", known)


def drivers(text: object) -> tuple[str, ...] | None:
    """The versions in the output of `runsc nvproxy list-supported-drivers`; None where there are none."""
    lines = text.split() if isinstance(text, str) else []
    return tuple(line for line in lines if re.fullmatch(r"\d+(\.\d+)+", line)) or None
