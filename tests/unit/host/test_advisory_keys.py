"""What the file of a known way out must say."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from sandboxd.host import advisories


def shipped() -> tuple[str, dict[str, Any]]:
    name = advisories.names()[0]
    return name, tomllib.loads(Path(advisories.path(name)).read_text())


@pytest.mark.parametrize(
    "key", ["ids", "effect", "evidence", "source", "published", "reviewed", "affected"]
)
def test_a_key_that_is_missing_is_named(key: str) -> None:
    name, data = shipped()
    assert advisories.parse(name, data).name == name
    del data[key]
    with pytest.raises(ValueError, match=f"missing or unknown: {key}$"):
        advisories.parse(name, data)


def test_a_key_that_is_unknown_is_named() -> None:
    name, data = shipped()
    with pytest.raises(ValueError, match=r"missing or unknown: efect$"):
        advisories.parse(name, {**data, "efect": "x"})
