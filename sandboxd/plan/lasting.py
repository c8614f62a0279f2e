"""Volumes of a sandbox that outlive its container: its private copy, its home, the caches of its tools.

Each sandbox has its own, named after the sandbox and the profile, so that nothing in a cache or home runs in another
sandbox. Only `sandboxd up` mounts them: another tool that starts a generated file has none, and keeps the copy in
memory.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Literal, NamedTuple

from sandboxd.plan.container_name import container_name
from sandboxd.plan.layout import HOME
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.workspace import WorkspaceFacts

Kind = Literal["copy", "home", "caches", "synced"]

PREFIX = "sandboxd-"
CACHES = "/sandboxd/caches"

# Each tool's own variable for the folder of its cache, and that folder below `CACHES`.
# pip: https://pip.pypa.io/en/stable/topics/caching/
# uv: https://docs.astral.sh/uv/reference/environment/#uv_cache_dir
# npm: https://docs.npmjs.com/cli/v11/using-npm/config#cache
# cargo: https://doc.rust-lang.org/cargo/guide/cargo-home.html
# go: https://go.dev/ref/mod#environment-variables, https://pkg.go.dev/cmd/go#hdr-Build_and_test_caching
# Maven: https://maven.apache.org/configure.html#maven_args-environment-variable
_VARIABLES = {
    "PIP_CACHE_DIR": "pip",
    "UV_CACHE_DIR": "uv",
    "npm_config_cache": "npm",
    "CARGO_HOME": "cargo",
    "GOMODCACHE": "go/mod",
    "GOCACHE": "go/build",
    "MAVEN_ARGS": "maven",
    # No cache, but what a person at a shell wants to find again.
    "HISTFILE": "shell-history",
}
_SPELLINGS = {"MAVEN_ARGS": "-Dmaven.repo.local={}"}


class Lasting(NamedTuple):
    """A volume to mount at `target` inside; `mode` has the permission bits of its folder, which belongs to the user
    inside.
    """

    kind: Kind
    volume: str
    target: str
    mode: int = 0o700


def lasting(profile: Profile, workspace: WorkspaceFacts, notes: Notes) -> tuple[Lasting, ...]:
    """The volumes that a sandbox has by its profile, in the order to mount them; () for none."""
    if not profile.lasts:
        return ()
    places: list[Lasting] = []
    if profile.access == "copy":
        target = target_folder(workspace.path)
        places.append(Lasting("copy", _volume("copy", profile, workspace), target, 0o755))
        places.append(Lasting("home", _volume("home", profile, workspace), HOME))
    places.append(Lasting("caches", _volume("caches", profile, workspace), CACHES))
    for place in places:
        why = f"`sandboxd up` keeps it in the volume `{place.volume}`, which is this sandbox's own"
        notes.reason("mounts", f"{place.target} (lasts)", why)
    return tuple(places)


def variables(places: Iterable[Lasting], present: Iterable[str]) -> list[str]:
    """Variables, ``NAME=value``, that make tools use the folders in `places`.

    :param present: names of variables that exist already and are not set
    """
    kinds = {place.kind for place in places}
    values: dict[str, str] = {}
    if "home" in kinds:
        values["HOME"] = HOME
    if "caches" in kinds:
        for name, folder in _VARIABLES.items():
            values[name] = _SPELLINGS.get(name, "{}").format(posixpath.join(CACHES, folder))
    own = set(present)
    return [f"{name}={value}" for name, value in values.items() if name not in own]


def beginning(kind: str, sandbox: str) -> str:
    """The prefix of the names of a sandbox's volumes of one kind; the profile's name follows it.

    :param kind: one of `Kind`
    :param sandbox: the sandbox's identity
    """
    return f"{PREFIX}{kind}-{container_name(sandbox).removeprefix(PREFIX)}-"


def is_copy(volume: str) -> bool:
    """Whether a volume's name is one that volumes with private copies have."""
    return volume.startswith(f"{PREFIX}copy-")


def _volume(kind: Kind, profile: Profile, workspace: WorkspaceFacts) -> str:
    return beginning(kind, workspace.sandbox) + profile.name
