"""The filter of system calls."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from sandboxd.data import data_path
from sandboxd.files import read_source
from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind
from sandboxd.observe.inspection import seccomp_identity

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "seccomp"
PLACE = 60
PROOF: tuple[str, ...] = ()
_FLAG = "dev.gvisor.flag.oci-seccomp"


def on_linux(sight: Sight) -> tuple[Control, ...]:
    live = sight.live
    if sight.process is None:
        return blind(NAME)
    option = live.option(NAME)
    identity = option.value.value if option else ""
    if identity == "unconfined" or (live.is_privileged() and not identity):
        return (Control(NAME, "left out", "unconfined"),)
    line = sight.process.status.get("Seccomp")
    if line is None:
        return (Control(NAME, "not seen", "its status has no Seccomp line"),)
    if line == "2":
        profile = profile_name(identity) if identity else "the engine's default"
        return (Control(NAME, "in force", f"a filter is loaded (asked for: {profile})"),)
    return (Control(NAME, "not in force", f"Seccomp is {line}"),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    if not sight.outside.holds("exec_filter"):
        why = "system calls end in gVisor's kernel; `exec` loads no filter"
        return (Control(NAME, "left out", why),)
    if sight.outside.annotations.get(_FLAG) != "true":
        return (Control(NAME, "left out", "gVisor loads no filter without oci-seccomp"),)
    option = sight.live.option(NAME)
    profile = profile_name(option.value.value) if option else "the engine's default"
    why = f"this build filters what `exec` starts, too, as was tried (asked for: {profile})"
    return (Control(NAME, "in force", why),)


def contradictions(sight: Sight, inside: Process) -> dict[str, str]:
    # A gVisor that loads none for `exec` never shows one inside.
    shows_it = not sight.outside.is_gvisor or sight.outside.holds("exec_filter")
    line = inside.status.get("Seccomp")
    is_off = shows_it and line in ("0", "1")
    return {NAME: f"Seccomp is {line}"} if is_off else {}


def profile_name(identity: str) -> str:
    """The file name of the shipped profile with this hash; the hash itself for another profile."""
    folder = data_path("profiles", "seccomp")
    for file in sorted(os.listdir(folder)):
        if file.endswith(".json") and identity == _identity_of(os.path.join(folder, file)):
            return f"{file}, {identity}"
    return identity


@functools.cache
def _identity_of(path: str) -> str:
    return seccomp_identity(read_source(path).text)
