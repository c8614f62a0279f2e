"""The user's git name and e-mail in a Pod: written to a file in the home there, and to no object of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import running
from sandboxd.plan.git_settings import SAFE

if TYPE_CHECKING:
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.plan.plan import Plan

_WRITE = 'mkdir -p "$HOME/.config/git" && cat > "$HOME/.config/git/config"'
_SECONDS = 30.0


def put(target: Target, plan: Plan) -> bool:
    """Write the user's name and e-mail into the Pod, if the plan has them; return False only if that failed."""
    settings = [(key, value) for key, value in plan.git if key != SAFE]
    if not settings:
        return True
    lines = "".join(
        f"[{key.partition('.')[0]}]\n\t{key.partition('.')[2]} = {_quoted(value)}\n"
        for key, value in settings
    )
    try:
        code = running.run(
            target.cluster,
            target.pod,
            ["sh", "-c", _WRITE],
            lines.encode(errors="surrogateescape"),
            _SECONDS,
            lambda _stream, _piece: None,
        )
    except TimeoutError:
        return False
    return code == 0


def _quoted(value: str) -> str:
    """`value` as git-config(1) writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
