"""The folder of the locks: nobody else can hold or replace one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import lock


def test_the_folder_is_made_private(own_home: Path) -> None:
    folder = lock._folder()
    assert folder == f"{own_home}/run/sandboxd-{os.getuid()}-locks"
    assert os.stat(folder).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_folder_that_others_can_write_is_refused(mode: int) -> None:
    os.chmod(lock._folder(), mode)
    with pytest.raises(EnvironmentFailure, match="can be written by others"):
        lock._folder()


def test_a_symlink_to_a_private_folder_is_refused(own_home: Path) -> None:
    real = own_home / "elsewhere"
    real.mkdir(mode=0o700)
    Path(f"{own_home}/run/sandboxd-{os.getuid()}-locks").symlink_to(real)
    with pytest.raises(EnvironmentFailure, match="can be written by others"):
        lock._folder()


def test_a_folder_of_another_user_is_refused(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    (own_home / "run" / f"sandboxd-{other}-locks").mkdir(mode=0o700)
    with pytest.raises(EnvironmentFailure, match="can be written by others"):
        lock._folder()
