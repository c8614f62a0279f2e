"""Versions of Debian's packages are compared as `dpkg` does."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from sandboxd.host.advisories.versions import is_at_least, upstream


@pytest.mark.parametrize(
    ("version", "least", "expected"),
    [
        ("1.1.15+ds1-2+deb13u1", "1.1.15+ds1-2+deb13u1", True),
        ("1.1.15+ds1-2+b4", "1.1.15+ds1-2+deb13u1", False),
        ("1.1.15+ds1-2+deb13u2", "1.1.15+ds1-2+deb13u1", True),
        ("26.1.5+dfsg1-9+deb13u1+b1", "26.1.5+dfsg1-9+deb13u1", True),
        ("1.0~rc2-1", "1.0-1", False),
        ("1:0.9-1", "1.0-1", True),
        ("1.10-1", "1.9-1", True),
        ("1.0", "1.0-0", True),
    ],
)
def test_order(version: str, least: str, expected: bool) -> None:
    assert is_at_least(version, least) is expected


def test_upstreams_part() -> None:
    assert upstream("2:26.1.5+dfsg1-9+deb13u1") == "26.1.5+dfsg1"
    assert upstream("1.0-2-3") == "1.0-2"
    assert upstream("1.0") == "1.0"


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is Debian's")
def test_as_dpkg_itself() -> None:
    chance = random.Random(22)
    for _ in range(150):
        one = _version(chance)
        other = one + chance.choice(["~", "0", ".0", "+", "a"]) if chance.random() < 0.3 else ""
        other = other or _version(chance)
        answer = subprocess.run(
            ["dpkg", "--compare-versions", one, "ge", other], stderr=subprocess.DEVNULL, check=False
        )
        assert is_at_least(one, other) is (answer.returncode == 0), (one, other)


def _version(chance: random.Random) -> str:
    text = chance.choice("0123456789")
    text += "".join(chance.choice("0019.+~abz") for _ in range(chance.randint(0, 5)))
    if chance.random() < 0.5:
        text += "-" + "".join(chance.choice("019.+~ab") for _ in range(chance.randint(1, 4)))
    return f"{chance.choice('01')}:{text}" if chance.random() < 0.2 else text
