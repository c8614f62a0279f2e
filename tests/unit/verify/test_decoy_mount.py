"""The decoy that sandboxd mounts is no secret; whatever else lies at its place is one."""

from __future__ import annotations

import os

import pytest

from sandboxd.model.labels import DECOY_FILE
from sandboxd.verify.canary import _is_decoy


@pytest.mark.parametrize(
    ("source", "target", "is_decoy"),
    [
        ("sandboxd/inside/0123/backup_repository", DECOY_FILE, True),
        ("sandboxd/inside/../secrets/key", DECOY_FILE, False),
        ("elsewhere/key", DECOY_FILE, False),
        ("sandboxd/inside/0123/backup_repository", "/run/secrets/key", False),
    ],
)
def test_only_ours_at_its_place(source: str, target: str, is_decoy: bool) -> None:
    path = os.path.join(os.environ["XDG_STATE_HOME"], source)
    assert _is_decoy(path, target) is is_decoy
