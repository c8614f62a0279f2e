"""The home of an agent in its sandbox, and the files that are written there once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from sandboxd.agents.agent import Agent
    from sandboxd.review.collect import Inside

_SECONDS = 60.0
_MOST_BYTES = 4096

# Says what the image lacks, else the home: that of the user where it can be written, else one in `/tmp`.
_HOME = """
for program in "$@"; do
  command -v "$program" >/dev/null 2>&1 || { echo "lacks $program"; exit; }
done
[ -n "$HOME" ] && [ -d "$HOME" ] && [ -w "$HOME" ] || { HOME=/tmp/home; mkdir -p "$HOME" || exit 1; }
cd "$HOME" && echo "home $(pwd)"
"""
_WRITE = 'cd "$1" || exit 1; [ -e "$2" ] && exit; mkdir -p "$(dirname "$2")" && cat > "$2"'


def ensure(inside: Inside, agent: Agent) -> str:
    """Return the path of the agent's home folder inside the sandbox, creating the folder if it is missing.

    :raises EnvironmentFailure: the image lacks a program that the agent needs, or no folder inside can be written
    """
    code, output = _run(inside, ["sh", "-c", _HOME, "sh", *agent.needs], b"")
    what, _, value = output.decode("utf-8", "replace").strip().rpartition("\n")[2].partition(" ")
    if code or what not in ("lacks", "home") or not value:
        raise EnvironmentFailure("no folder inside can be a home", "use another image")
    if what == "lacks":
        raise EnvironmentFailure(
            f"the image has no `{value}`, which {agent.title} needs",
            f"name one that has it: `sandboxd agent {agent.name} --image IMAGE`",
        )
    return value


def write(inside: Inside, home: str, path: str, text: str) -> None:
    """Write a file into the home, unless there is one already.

    :raises EnvironmentFailure: it cannot be written
    """
    code, output = _run(inside, ["sh", "-c", _WRITE, "sh", home, path], text.encode())
    if code:
        words = " ".join(output.decode("utf-8", "replace").split())
        raise EnvironmentFailure(
            f"`{home}/{path}` cannot be written: {words}", "make room, or use another image"
        )


def _run(inside: Inside, command: list[str], data: bytes) -> tuple[int, bytes]:
    """Run `command` inside; its exit code, and the last that it wrote."""
    output = b""

    def keep(_stream: int, piece: bytes) -> None:
        nonlocal output
        output = (output + piece)[-_MOST_BYTES:]

    try:
        return inside(command, data, _SECONDS, keep), output
    except TimeoutError:
        raise EnvironmentFailure(
            f"the sandbox does not get a home ready within {_SECONDS:g} s", "run it again"
        ) from None
