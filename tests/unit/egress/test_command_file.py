"""A policy in a file is looked at again whatever becomes of the one before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.egress.gateway.command_file import CommandFile
from sandboxd.egress.gateway.command_lines import LONGEST_LINE


def test_each_policy_is_given_once_and_one_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    looks: list[Callable[[], None]] = []
    loop: Any = SimpleNamespace(call_later=lambda _seconds, look: looks.append(look))
    given: list[bytes | None] = []

    def command(data: bytes | None) -> None:
        given.append(data)
        if data == b"broken":
            raise ValueError("a fault of the gateway")

    path = tmp_path / "policy.json"
    CommandFile(loop, str(path), command).follow()
    path.write_bytes(b"broken")
    with pytest.raises(ValueError, match="a fault of the gateway"):
        looks[-1]()
    path.write_bytes(b"whole")
    looks[-1]()
    looks[-1]()
    path.write_bytes(b"x" * (LONGEST_LINE + 1))
    looks[-1]()
    path.unlink()
    looks[-1]()
    assert given == [b"", b"broken", b"whole", None, b""]
    assert len(looks) == 6, "one look after the other"


def test_a_file_that_need_not_be_there_is_no_command_before_it_is(tmp_path: Path) -> None:
    looks: list[Callable[[], None]] = []
    loop: Any = SimpleNamespace(call_later=lambda _seconds, look: looks.append(look))
    given: list[bytes | None] = []
    path = tmp_path / "credentials.json"
    CommandFile(loop, str(path), given.append, is_required=False).follow()
    path.write_bytes(b"{}")
    looks[-1]()
    path.unlink()
    looks[-1]()
    assert given == [b"{}"]
