"""How large all package caches of an engine may be together: what the policy says, else 20 GiB."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.policy import cache_size


@pytest.mark.parametrize(
    ("policy", "size"),
    [
        (None, 20 << 30),
        ('profiles = ["dev"]\n', 20 << 30),
        ('caches = "512MiB"\n', 512 << 20),
        ('caches = "100 GiB"\n', 100 << 30),
    ],
)
def test_the_policy_sets_it(tmp_path: Path, policy: str | None, size: int) -> None:
    (tmp_path / "sandboxd").mkdir()
    if policy is not None:
        (tmp_path / "sandboxd/policy.toml").write_text(policy)
    assert cache_size.bound({"XDG_CONFIG_HOME": str(tmp_path)}) == size


def test_a_policy_that_cannot_be_read_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "sandboxd").mkdir()
    (tmp_path / "sandboxd/policy.toml").write_text("caches = 20\n")
    with pytest.raises(UsageError):
        cache_size.bound({"XDG_CONFIG_HOME": str(tmp_path)})
