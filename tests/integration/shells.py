"""Real shells that complete a line: what they offer for its last word."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import PATIENCE

BASH = """
source "$1"
line=$2
read -ra COMP_WORDS <<<"${line//=/ = }"
[[ $line == *" " || $line == *= ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_sandboxd
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
PS1= PS2= RPS1=; unsetopt prompt_sp prompt_cr; setopt no_beep; stty -echo
autoload -Uz compinit; compinit -D -u; source {script}; LISTMAX=0
dump() {{ print -r -- "<<$BUFFER>>"; BUFFER=; zle redisplay }}
zle -N dump; bindkey '^X' dump; bindkey '^I' complete-word; print REA''DY
"""


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no `{program}`; run `CI=true ./dev setup --tests`")


def bash(script: Path, line: str, folder: Path) -> set[str]:
    """What bash puts into COMPREPLY."""
    command = ["bash", "--norc", "-c", BASH, "bash", str(script), line]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def fish(script: Path, line: str, folder: Path) -> set[str]:
    """What fish offers, without the descriptions."""
    command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return {row.split("\t")[0] for row in done.stdout.splitlines()}


class Zsh:
    """An interactive zsh behind a terminal, where keys are pressed."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def press_tab(self, line: str) -> tuple[str, str]:
        """The line after TAB, and all that was shown."""
        os.write(self._terminal, line.encode() + b"\t\x18")
        shown = self.read_until(b">>")
        return shown[shown.rindex("<<") + 2 : shown.rindex(">>")], shown

    def read_until(self, mark: bytes) -> str:
        output, end = b"", time.monotonic() + PATIENCE
        while mark not in output:
            ready, _, _ = select.select([self._terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"zsh says nothing more after {output[-500:]!r}"
            output += os.read(self._terminal, 65536)
        return output.decode(errors="replace")


@contextmanager
def zsh(script: Path, folder: Path) -> Iterator[Zsh]:
    for program in ("zsh", "setsid"):
        need(program)
    terminal, other_end = pty.openpty()
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"}
    # Not forked here: who is forked while another thread holds a lock waits for it for ever.
    with subprocess.Popen(
        ["setsid", "--ctty", "zsh", "-f", "-i"],
        cwd=folder,
        env=environ | {"COLUMNS": "200", "LINES": "400"},
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
    ) as process:
        os.close(other_end)
        try:
            shell = Zsh(terminal)
            os.write(terminal, ZSH.format(script=script).replace("\n", "; ").strip("; ").encode())
            os.write(terminal, b"\n")
            shell.read_until(b"READY\r")
            yield shell
            os.write(terminal, b"\x15exit\n")
        finally:
            os.close(terminal)
            process.kill()
