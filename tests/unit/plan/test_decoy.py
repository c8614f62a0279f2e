"""What an unattended sandbox has for a thief: like a secret, and like no real one."""

from __future__ import annotations

import re
import zlib

from sandboxd.egress.policy import Policy
from sandboxd.plan import decoy

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_the_token_has_the_shape_of_githubs_and_never_its_checksum() -> None:
    for number in range(200):
        token = decoy.token(f"/home/someone/project-{number}")
        assert re.fullmatch("ghp_[A-Za-z0-9]{36}", token)
        check = 0
        for digit in token[-6:]:
            check = check * 62 + DIGITS.index(digit)
        assert check != zlib.crc32(token[4:34].encode())


def test_each_project_has_its_own_and_keeps_it() -> None:
    for make in (decoy.name, decoy.token):
        assert len({make(f"/p{number}") for number in range(50)}) == 50
        assert make("/p") == make("/p")


def test_the_text_holds_both_and_is_there_with_both_alone() -> None:
    assert decoy.text(Policy()) == ""
    policy = Policy(canaries=("backup-1.internal",), decoys=("ghp_x",))
    assert decoy.text(policy) == "https://backup:ghp_x@backup-1.internal/backup.git\n"
