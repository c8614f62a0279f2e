"""Exchanges that are killed at a step, each in a process of its own; run as a program by `Killer`.

The program has no threads, as the process of a test may have: who is forked while another thread holds a lock waits for
it for ever.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandboxd.exchange import (
    acting_refs,
    agreed,
    checkout_record,
    host_locks,
    objects,
    on_host,
    shut_paths,
    to_host,
)
from tests.unit.exchange.two_sides import Sides

ROOT = Path(__file__).resolve().parents[3]

STEPS = (
    (objects, "_put_file"),
    (objects, "put"),
    (to_host, "move_refs"),
    (host_locks, "_give_name"),
    (host_locks, "_put_in_place"),
    (checkout_record, "write"),
    (checkout_record, "remove"),
    (to_host, "_log_head"),
    (on_host, "hold"),
    (agreed, "write"),
    (shut_paths, "write"),
    (acting_refs, "write"),
)
"""What an exchange writes with: it is killed before and after each call of these."""


class Killer:
    """Has the program make exchanges of both sides of the work tree `folder`."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, base: Path) -> None:
        self._process, self._places = process, [str(folder), str(base)]

    def kills_at(self, number: int) -> bool:
        """Exchange until the step of a number, and be killed there; False where it ended before."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps([number, *self._places]), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        assert code in (0, -signal.SIGKILL)
        return code != 0


@contextmanager
def killer(sides: Sides) -> Iterator[Killer]:
    """The program, for as long as the block runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.unit.exchange.killed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        # It ends with its input, which ends with the block.
        yield Killer(process, sides.folder, sides.folder.parent)


class _Death:
    """Kills this process at the step of a number."""

    def __init__(self, number: int) -> None:
        self._left = number

    def step(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*words: Any, **options: Any) -> Any:
            self.step()
            result = function(*words, **options)
            self.step()
            return result

        return run


def _exchange(number: int, sides: Sides) -> None:
    """Be the process that is killed at a step; does not return."""
    code = 1
    try:
        death = _Death(number)
        for owner, name in STEPS:
            setattr(owner, name, death.around(getattr(owner, name)))
        sides.exchange()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _serve() -> None:
    for line in sys.stdin:
        number, folder, base = json.loads(line)
        sides = Sides(Path(folder), Path(base))
        child = os.fork()
        if child == 0:
            _exchange(number, sides)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
