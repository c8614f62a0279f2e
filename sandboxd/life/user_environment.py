"""The environment that a user's shell has inside, asked as the dev container CLI asks (`userEnvProbe`)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.life.hook_place import Ask
    from sandboxd.model.remote import Remote

_OPTIONS = {
    "loginInteractiveShell": "-lic",
    "interactiveShell": "-ic",
    "loginShell": "-lc",
}
_DEFAULT = "loginInteractiveShell"
# The shell of the environment, else that of the table of users, else sh; no program but these is needed.
_ASK = """\
shell=$SHELL
[ -n "$shell" ] || while IFS=: read -r name _ number _ _ _ last; do
  if [ "$name" = "$1" ] || [ "$number" = "$1" ]; then shell=$last; break; fi
done </etc/passwd
exec "${shell:-/bin/sh}" "$2" "$3"
"""
_SECONDS = 30.0
# Of the shell that was asked, not of the next one.
_OF_THE_SHELL = ("_", "OLDPWD", "PWD", "SHLVL")


def remote_environment(
    ask: Ask,
    user: str,
    config: Sequence[str],
    remote: Remote,
    tell: Callable[[str], None],
) -> dict[str, str]:
    """The variables that processes inside get beside the container's own: those of the user's shell, then `remoteEnv`.

    :param ask: runs a command as that user
    :param user: the user that the processes run as, by name or number; '' for root
    :param config: the container's environment, ``NAME=value`` each
    :param tell: called with the reason if the shell cannot be asked
    """
    own = dict(variable.partition("=")[::2] for variable in config)
    env = _probed(ask, user, own, remote.env_probe or _DEFAULT, tell)
    return {**env, **remote_env(remote, config)}


def remote_env(remote: Remote, config: Sequence[str]) -> dict[str, str]:
    """The variables of `remoteEnv`, with ``${containerEnv:NAME}`` filled in; the user's own values take precedence.

    :param config: the container's environment, ``NAME=value`` each
    """
    own = dict(variable.partition("=")[::2] for variable in config)
    env = {pair.name: _filled(pair.value, own) for pair in remote.env}
    return {**env, **{pair.name: pair.value for pair in remote.secrets}}


def of_shell(
    ask: Ask,
    user: str,
    config: Sequence[str],
    kind: str,
    tell: Callable[[str], None],
) -> dict[str, str]:
    """The variables that the user's shell sets beyond those of the container; {} if no shell is asked.

    :param ask: runs a command as that user
    :param user: the user's name or number; '' for root
    :param config: the container's environment, ``NAME=value`` each
    :param kind: the value of `userEnvProbe`; '' for the default
    :param tell: called with the reason if the shell cannot be asked
    """
    own = dict(variable.partition("=")[::2] for variable in config)
    env = _probed(ask, user, own, kind or _DEFAULT, tell)
    return {
        name: value
        for name, value in env.items()
        if own.get(name) != value and name not in _OF_THE_SHELL
    }


def _probed(
    ask: Ask,
    user: str,
    own: Mapping[str, str],
    kind: str,
    tell: Callable[[str], None],
) -> dict[str, str]:
    option = _OPTIONS.get(kind)
    if option is None:
        return {}
    border = secrets.token_hex(16)
    script = f"echo -n {border}; cat /proc/self/environ; echo -n {border}"
    name = user.partition(":")[0] or "0"
    try:
        output = ask(["/bin/sh", "-c", _ASK, "sh", name, option, script], _SECONDS)
    except failures.ContainerGone:
        raise
    except EnvironmentFailure as error:
        tell(f"the environment of the user's shell is not known: {error.message}")
        return {}
    parts = output.decode("utf-8", "replace").split(border)
    env = _variables(parts[1]) if len(parts) == 3 else {}
    env.pop("PWD", None)
    if "PATH" in env and "PATH" in own:
        env["PATH"] = merge_paths(env["PATH"], own["PATH"], is_root=name in ("0", "root"))
    return env


def _variables(text: str) -> dict[str, str]:
    pairs = (variable.partition("=") for variable in text.split("\0"))
    return {name: value for name, mark, value in pairs if name and mark}


def merge_paths(of_shell: str, of_container: str, *, is_root: bool) -> str:
    """The shell's PATH, with those entries of the container's PATH inserted that it lacks, each after its predecessor.

    The dev container CLI does the same where it must not change the image's `/etc/profile`.
    """
    folders = of_shell.split(":")
    at = 0
    for folder in of_container.split(":"):
        if folder in folders:
            at = folders.index(folder) + 1
        elif is_root or "sbin" not in folder.split("/"):
            folders.insert(at, folder)
            at += 1
    return ":".join(folders)


def _filled(text: str, own: Mapping[str, str]) -> str:
    """`text` with `${containerEnv:NAME}` and `${containerEnv:NAME:default}` replaced."""
    parts: list[str] = []
    at = 0
    while (start := text.find("${containerEnv:", at)) >= 0 and (end := text.find("}", start)) >= 0:
        name, _, rest = text[start + len("${containerEnv:") : end].partition(":")
        parts += (text[at:start], own.get(name, rest.partition(":")[0]))
        at = end + 1
    return "".join((*parts, text[at:]))
