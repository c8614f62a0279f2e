"""The values that keys of `sandboxd.toml` may have."""

from __future__ import annotations

import os

from sandboxd.data import data_path

RUNTIMES = ("auto", "gvisor", "runc")
NETWORK_MODES = ("default", "none")
LAYOUTS = ("bind", "clone")
# A path that no tool that takes mounts apart breaks; the JSON schema has the same.
FOLDER_INSIDE = (
    r'^(?=.*\S)(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+'
    r'(/(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+)*$'
)
# As an engine takes it.
VOLUME_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"
LEVELS = ("off", "hint", "warning", "error")


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that ship."""
    folder = data_path("profiles", "hardening")
    return tuple(sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".toml")))


def takes_from_host(text: str) -> bool:
    """True if a string names a variable of the host's environment."""
    lowered = text.lower()
    return "${localenv" in lowered or "${env" in lowered
