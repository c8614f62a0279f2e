"""The tests' cluster runs the commands of Pods on this machine, and stops none of its processes."""

from __future__ import annotations

import pytest

from sandboxd.review import collect
from tests.light_cluster import Harmless


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_the_program_that_collects_changes_stops_nobody(size: int) -> None:
    text = collect.program().encode()
    harmless = Harmless()
    pieces = [harmless.feed(text[start : start + size]) for start in range(0, len(text), size)]
    sent = b"".join([*pieces, harmless.end()])
    assert text.count(b"SIGSTOP") == 1 and b"SIGSTOP" not in sent
    assert len(sent) == len(text)
    compile(sent, "program", "exec")


def test_other_input_comes_as_it_is() -> None:
    harmless = Harmless()
    assert harmless.feed(b"echo one\n") == b"echo one\n"
    assert harmless.feed(b"os.kill(") + harmless.feed(b"1)\n") + harmless.end() == b"os.kill(1)\n"
