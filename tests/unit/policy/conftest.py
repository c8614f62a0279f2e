"""What the pages about policies share: the two files of a floor."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The paths of the organisation's policy and of the user's; neither file exists."""
    user = tmp_path / "config/sandboxd/policy.toml"
    user.parent.mkdir(parents=True)
    return tmp_path / "organisation.toml", user
