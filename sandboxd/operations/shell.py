"""Begin a shell in a project's sandbox: bash where the image has it, else sh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.operations.exec import exec_

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.operations.exec import Command

_SHELL = "if command -v bash >/dev/null 2>&1; then exec bash -l; else exec sh -l; fi"


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
    """Begin it in the running sandbox `name` of the project that `directory` lies in.

    :param warn: as of `exec_`
    :raises ContainerGone: no sandbox runs there
    """
    from sandboxd.engine.client import Exec

    request = Exec(["sh", "-c", _SHELL], tty=tty, stdin=True, user=user, env=env)
    return exec_(engine, directory, request, warn, name)
