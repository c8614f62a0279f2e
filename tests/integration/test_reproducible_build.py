"""The same sources give the same bytes, whoever builds them, where and when."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.integration import packaging


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaging.copy_sources(tmp_path_factory.mktemp("one") / "sandboxd")


@pytest.fixture(scope="module")
def built(sources: Path) -> dict[str, bytes]:
    return contents(packaging.build(sources, sources.parent / "dist", "wheel", "sdist"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_another_place_time_umask_language_and_hash_seed(
    sources: Path, built: dict[str, bytes], tmp_path: Path
) -> None:
    other = tmp_path / "somewhere else" / "ein-anderer-Name"
    shutil.copytree(sources, other)
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        if path.is_file():
            path.chmod(0o600 | (0o100 if path.stat().st_mode & stat.S_IXUSR else 0))
    again = packaging.build(
        other,
        tmp_path / "dist",
        "wheel",
        "sdist",
        umask=0o077,
        TZ="Pacific/Auckland",
        LC_ALL="C",
        PYTHONHASHSEED="4711",
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert len(built) == 2
    assert contents(again) == built


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_checkout(
    built: dict[str, bytes], tmp_path: Path
) -> None:
    (name,) = [name for name in built if name.endswith(".tar.gz")]
    (tmp_path / name).write_bytes(built[name])
    shutil.unpack_archive(tmp_path / name, tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    wheels = contents(packaging.build(unpacked, tmp_path / "dist", "wheel"))
    assert wheels == {name: data for name, data in built.items() if name.endswith(".whl")}


def test_a_given_date_is_kept(sources: Path, built: dict[str, bytes], tmp_path: Path) -> None:
    dated = [
        contents(packaging.build(sources, tmp_path / n, "wheel", SOURCE_DATE_EPOCH="1700000000"))
        for n in ("1", "2")
    ]
    assert dated[0] == dated[1]
    assert dated[0] != {name: data for name, data in built.items() if name.endswith(".whl")}
