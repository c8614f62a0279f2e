"""What says what was taken back, and cannot be looked at, is not taken for what is not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.credentials import own_services, records
from sandboxd.errors import UsageError
from sandboxd.policy import approvals, trust

Environ = dict[str, str]
READERS: dict[str, Callable[[Environ], object]] = {
    trust.FILE_NAME: trust.grants,
    approvals.FILE_NAME: approvals.check,
    records.FILE_NAME: records.load,
    "services/my-registry.toml": lambda _environ: own_services.content("my-registry"),
}
"""What reads each file of the user's config folder by which a sandbox is given something."""


@pytest.fixture(params=READERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Services of the user's own are those of the process.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "sandboxd" / name
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize("fault", [PermissionError(13, "Permission denied"), OSError(5, "I/O")])
def test_a_file_that_cannot_be_looked_at_is_said(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch, fault: OSError
) -> None:
    real = os.stat

    def refuse(asked: object, *arguments: object, **options: object) -> os.stat_result:
        if asked == str(path):
            raise fault
        return real(asked, *arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", refuse)
        with pytest.raises(UsageError, match="cannot look at") as caught:
            READERS[name](dict(os.environ))
    assert "nobody knows" in caught.value.hint


def test_a_file_in_a_folder_that_is_not_mounted_is_said(path: Path, name: str) -> None:
    path.parent.rmdir()
    path.parent.symlink_to("nowhere")
    with pytest.raises(UsageError, match="leads to what is not there"):
        READERS[name](dict(os.environ))


def test_a_link_that_leads_nowhere_is_said(path: Path, name: str) -> None:
    path.symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"leads to what is not there|no regular file"):
        READERS[name](dict(os.environ))


def test_a_file_that_is_not_there_says_nothing(path: Path, name: str) -> None:
    if name.startswith("services"):
        with pytest.raises(KeyError):
            READERS[name](dict(os.environ))
    else:
        assert not READERS[name](dict(os.environ))


def test_a_folder_above_that_is_away_is_no_absent_file(
    tmp_path: Path, path: Path, name: str
) -> None:
    """As a home that is mounted later, to which a link leads, or a file in the place of one."""
    above = tmp_path
    aside = above.with_name("aside")
    assert path.is_relative_to(above)
    above.rename(aside)
    for spoil in (lambda: above.symlink_to("nowhere"), lambda: above.write_text("")):
        spoil()
        with pytest.raises(UsageError, match=r"not there|no folder"):
            READERS[name]({"XDG_CONFIG_HOME": str(tmp_path)})
        above.unlink()
    aside.rename(above)
