"""The values that keys of `sandboxd.toml` may have."""

from __future__ import annotations

import os

from sandboxd.data import data_path

RUNTIMES = ("auto", "gvisor", "runc")
NETWORK_MODES = ("default", "none", "allow", "open")
LAYOUTS = ("bind", "clone", "synced")
NESTED_SANDBOXES = ("off", "calls")
# A path that no tool that takes mounts apart breaks; the JSON schema has the same.
FOLDER_INSIDE = (
    r'^(?=.*\S)(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+'
    r'(/(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+)*$'
)
# A folder beside the workspace, by its path from there; none that is hidden, where programs keep settings.
FOLDER_BESIDE = (
    r'^(?=.*\S)(\.\./){1,8}(?!\.)[^/:,"\\$\x00-\x1f\x7f]+(/(?!\.)[^/:,"\\$\x00-\x1f\x7f]+)*$'
)
# A pattern as of a `.gitignore` that takes nothing back.
IGNORE_PATTERN = r"^(?=.*\S)(?![!#])[^\x00-\x1f\x7f]{1,200}$"
# A host, or `*.host`, with or without a port; what is said of it beyond its form, only the reader knows.
HOST = (
    r"^(?=.{1,259}$)(?!.*\.\.)(\*\.(?=[^:]*\.))?"
    r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
    r"(:[1-9][0-9]{0,4})?$"
)
# A text without a dot and a port can only be a group's name.
NAMED_HOST = HOST.replace("^", "^(?=.*[.:])", 1)
MODES_WITHOUT_NAMES = ("none", "open")
"""The network modes in which a list of names has no effect."""
_NUMBER = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# A port inside, or of a service before it, and another number on this machine behind it.
PORT = rf"^([A-Za-z][A-Za-z0-9_.-]{{0,62}}:)?{_NUMBER}(:{_NUMBER})?$"
# A Feature by its reference, or all of them.
FEATURE = r'^(\*|[^\s"\\$*]+)$'
# The form of a volume's name that engines take.
VOLUME_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"
# A device by its number or UUID, a part of one by its own, or all of them.
GPU = r"^(all|[0-9]{1,3}|(GPU|MIG)-[0-9a-zA-Z/-]{1,80})$"
LEVELS = ("off", "hint", "warning", "error")


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that ship."""
    folder = data_path("profiles", "hardening")
    return tuple(sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".toml")))


def takes_from_host(text: str) -> bool:
    """Whether a text refers to a variable of the host's environment."""
    lowered = text.lower()
    return "${localenv" in lowered or "${env" in lowered
