"""Settings of git inside, without a change of anybody's config.

Git reads a file again when its inode or device differs from what the index says. gVisor numbers the
host's files anew in each sandbox, so the first `git status` in it would read the whole work tree.
"""

from __future__ import annotations

from sandboxd.model.container import Pair
from sandboxd.model.values import Value
from sandboxd.plan.notes import Notes
from sandboxd.plan.runtime import Choice

_COUNT = "GIT_CONFIG_COUNT"


def git_settings(
    choice: Choice, env: tuple[Value[Pair], ...], own_folder: str, notes: Notes
) -> tuple[Value[Pair], ...]:
    """Environment variables for git, none where `env` has such already.

    Size and time of a change still count, the time in whole seconds. The first `git status` of
    3,000 files takes a third of the time (measured: 320 against 1,120 ms), later ones the same.

    :param own_folder: a copy whose folder, but for its content, is root's; '' for none
    """
    if any(value.value.name == _COUNT for value in env):
        return ()
    settings = []
    if choice.gvisor:
        why = "git need not read the whole work tree again because gVisor numbers its files anew"
        settings.append(("core.checkStat", "minimal", why))
    if own_folder:
        why = "the folder of the copy is root's, and git would refuse what is in it"
        settings.append(("safe.directory", own_folder, why))
    if not settings:
        return ()
    pairs = [(Pair(_COUNT, str(len(settings))), "git takes settings from the environment")]
    for number, (key, value, why) in enumerate(settings):
        pairs.append((Pair(f"GIT_CONFIG_KEY_{number}", key), why))
        pairs.append((Pair(f"GIT_CONFIG_VALUE_{number}", value), why))
    return tuple(notes.value("env", pair, f"{pair.name}={pair.value}", why) for pair, why in pairs)
