"""The home of an agent in its sandbox, and the files that are written there once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.errors import EnvironmentFailure
from sandboxd.payload import programs

if TYPE_CHECKING:
    from sandboxd.agents.agent import Agent
    from sandboxd.engine.client import Engine

_SECONDS = 60.0

# Says what the image lacks, else the home: that of the user where it can be written, else one in `/tmp`.
_HOME = """
for program in "$@"; do
  command -v "$program" >/dev/null 2>&1 || { echo "lacks $program"; exit; }
done
[ -n "$HOME" ] && [ -d "$HOME" ] && [ -w "$HOME" ] || { HOME=/tmp/home; mkdir -p "$HOME" || exit 1; }
cd "$HOME" && echo "home $(pwd)"
"""
_WRITE = 'cd "$1" || exit 1; [ -e "$2" ] && exit; mkdir -p "$(dirname "$2")" && cat > "$2"'


def ensure(engine: Engine, container: str, agent: Agent) -> str:
    """The agent's home folder inside, made where it is missing.

    :raises EnvironmentFailure: the image lacks a program that the agent needs, or has no place for a home
    """
    request = Exec(["sh", "-c", _HOME, "sh", *agent.needs])
    code, output = run_quietly(engine, container, request, _SECONDS)
    what, _, value = output.decode("utf-8", "replace").strip().rpartition("\n")[2].partition(" ")
    if code or what not in ("lacks", "home") or not value:
        raise EnvironmentFailure("no folder inside can be a home", "use another image")
    if what == "lacks":
        raise EnvironmentFailure(
            f"the image has no `{value}`, which {agent.title} needs",
            f"name one that has it: `sandboxd agent {agent.name} --image IMAGE`",
        )
    return value


def write(engine: Engine, container: str, home: str, path: str, text: str) -> None:
    """Write a file into the home, unless there is one already.

    :raises EnvironmentFailure: it cannot be written
    """
    errors = b""

    def note(_stream: int, data: bytes) -> None:
        nonlocal errors
        errors = (errors + data)[-300:]

    request = Exec(["sh", "-c", _WRITE, "sh", home, path])
    code = programs.run(engine, container, request, text.encode(), _SECONDS, note)
    if code:
        words = " ".join(errors.decode("utf-8", "replace").split())
        raise EnvironmentFailure(
            f"`{home}/{path}` cannot be written: {words}", "make room, or use another image"
        )
