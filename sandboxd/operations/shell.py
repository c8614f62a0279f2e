"""Starts a shell in a project's sandbox: the user's own if the image names one, else the first that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.operations.exec import exec_

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.operations.exec import Command

# The table of users may name a shell that no one can work in.
SCRIPT = """\
own=$SHELL
[ -n "$own" ] || while IFS=: read -r name _ number _ _ _ last; do
  if [ "$number" = "$(id -u)" ]; then own=$last; break; fi
done </etc/passwd 2>/dev/null
case ${own##*/} in bash|zsh|fish) ;; *) own= ;; esac
for shell in "$own" bash zsh fish; do
  if [ -n "$shell" ] && command -v "$shell" >/dev/null 2>&1; then exec "$shell" -l; fi
done
exec sh -l
"""


def shell(
    engine: Engine,
    directory: str,
    *,
    tty: bool,
    user: str = "",
    env: Sequence[str] = (),
    name: str = "",
    warn: Callable[[str], None] | None = None,
) -> Command:
    """Start a shell in the running sandbox `name` of the project that `directory` lies in.

    :param user: the user inside; '' for the sandbox's own
    :param env: further variables, ``NAME=value``
    :param warn: as in `exec_`
    :raises ContainerGone: no such sandbox runs
    """
    from sandboxd.engine.client import Exec

    request = Exec(["sh", "-c", SCRIPT], tty=tty, stdin=True, user=user, env=env)
    return exec_(engine, directory, request, warn, name)
