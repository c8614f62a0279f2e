"""Settings for git inside, given by environment variables, so that no config file changes.

Git reads a file again when its inode or device differs from what the index records. gVisor gives the host's files new
numbers in each sandbox, so the first `git status` in it would read the whole work tree.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandboxd.model.container import Pair
from sandboxd.model.values import Value
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.notes import Notes
from sandboxd.plan.runtime import Choice
from sandboxd.plan.workspace import WorkspaceFacts

_COUNT = "GIT_CONFIG_COUNT"
SAFE = "safe.directory"
"""The only setting among those of `of_user` that does not identify the user."""


def git_settings(
    choice: Choice, env: tuple[Value[Pair], ...], own_folder: str, notes: Notes
) -> tuple[Value[Pair], ...]:
    """Environment variables with settings for git; () if `env` has such variables already.

    Git still notices changes by size and modification time, in whole seconds. The first `git status` of 3,000 files
    takes a third of the time (measured: 320 against 1,120 ms), later ones the same.

    :param own_folder: the folder of a private copy that belongs to root, though its content does not; '' for none
    """
    if any(value.value.name == _COUNT for value in env):
        return ()
    settings = []
    if choice.gvisor:
        why = "git need not read the whole work tree again because gVisor numbers its files anew"
        settings.append(("core.checkStat", "minimal", why))
    if own_folder:
        why = "the folder of the copy is root's, and git would refuse what is in it"
        settings.append((SAFE, own_folder, why))
    if not settings:
        return ()
    pairs = [(Pair(_COUNT, str(len(settings))), "git takes settings from the environment")]
    for number, (key, value, why) in enumerate(settings):
        pairs.append((Pair(f"GIT_CONFIG_KEY_{number}", key), why))
        pairs.append((Pair(f"GIT_CONFIG_VALUE_{number}", value), why))
    return tuple(notes.value("env", pair, f"{pair.name}={pair.value}", why) for pair, why in pairs)


def of_user(workspace: WorkspaceFacts, notes: Notes) -> tuple[tuple[str, str], ...]:
    """Git settings from the user's own config. Generated files do not have them, since everybody can read the
    repository.
    """
    identity = workspace.git_identity
    if identity:
        why = "commits inside have the name and e-mail of your git; no generated file has them"
        notes.reason("env", ", ".join(key for key, _ in identity), why, "host")
    return ((SAFE, target_folder(workspace.path)), *identity)


def with_settings(lines: Iterable[str], settings: Iterable[tuple[str, str]]) -> list[str]:
    """The variables `lines`, ``NAME=value`` each, with further git settings added to those that they have."""
    values = dict(line.partition("=")[::2] for line in lines)
    count = values.get(_COUNT, "0")
    number = int(count) if count.isascii() and count.isdecimal() else 0
    for key, value in settings:
        values[f"GIT_CONFIG_KEY_{number}"] = key
        values[f"GIT_CONFIG_VALUE_{number}"] = value
        number += 1
    return [f"{name}={value}" for name, value in {**values, _COUNT: str(number)}.items()]
