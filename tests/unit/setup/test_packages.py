"""Sources of runsc: a file with its checksum, and apt played by a script."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.setup import packages, upgrade

PROGRAM = b"\x7fELF program"


def quiet(_line: str) -> None:
    return None


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "runsc").write_bytes(PROGRAM)
    checksum = hashlib.sha512(PROGRAM).hexdigest()
    (tmp_path / "runsc.sha512").write_text(f"{checksum}  runsc\n")
    return tmp_path / "runsc"


def step(program: Path, folder: Path) -> packages.BinaryStep:
    return packages.BinaryStep(str(program), f"{program}.sha512", str(folder))


def test_a_program_is_copied_and_taken_away(program: Path, tmp_path: Path) -> None:
    one = step(program, tmp_path / "bin")
    state = one.before()
    assert not one.is_done()
    one.do(quiet)
    one.do(quiet)
    target = tmp_path / "bin" / "runsc"
    assert one.is_done() and target.read_bytes() == PROGRAM and os.access(target, os.X_OK)
    one.undo(state, quiet)
    one.undo(state, quiet)
    assert not target.exists()


def test_a_program_that_was_there_comes_back(program: Path, tmp_path: Path) -> None:
    target = tmp_path / "bin" / "runsc"
    target.parent.mkdir()
    target.write_bytes(b"older")
    target.chmod(0o711)
    one = step(program, tmp_path / "bin")
    state = one.before()
    one.do(quiet)
    one.do(quiet)
    assert target.read_bytes() == PROGRAM
    one.undo(state, quiet)
    assert target.read_bytes() == b"older" and target.stat().st_mode & 0o777 == 0o711
    assert os.listdir(target.parent) == ["runsc"]


def test_gvisors_archive_with_what_belongs_beside_it(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:bz2") as archive:
        for name in ("runsc", "gvisor-bin/helper", "../outside"):
            entry = tarfile.TarInfo(name)
            entry.size = len(PROGRAM)
            archive.addfile(entry, io.BytesIO(PROGRAM))
    (tmp_path / "g.tar.bz2").write_bytes(data.getvalue())
    (tmp_path / "g.tar.bz2.sha512").write_text(hashlib.sha512(data.getvalue()).hexdigest())
    one = step(tmp_path / "g.tar.bz2", tmp_path / "bin")
    state = one.before()
    one.do(quiet)
    paths = {str(p.relative_to(tmp_path / "bin")) for p in (tmp_path / "bin").rglob("*")}
    assert paths == {"runsc", "gvisor-bin", "gvisor-bin/helper"}
    assert not (tmp_path / "outside").exists()
    one.undo(state, quiet)
    assert os.listdir(tmp_path / "bin") == []


def test_another_checksum_is_refused(program: Path, tmp_path: Path) -> None:
    program.write_bytes(PROGRAM + b"x")
    with pytest.raises(UsageError, match="has the SHA-512"):
        step(program, tmp_path / "bin").before()
    assert not (tmp_path / "bin").exists()


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where apt-get and dpkg-query are scripts that keep one version in a file."""
    folder = tmp_path / "programs"
    folder.mkdir()
    state, calls = tmp_path / "version", tmp_path / "calls"
    scripts = {
        "dpkg-query": f'test -f {state} && printf "install ok installed|%s" "$(cat {state})"',
        "apt-cache": f'echo "runsc:"; echo " *** $(cat {state}) 500"; '
        'echo "        500 https://storage.googleapis.com/gvisor/releases release/main"',
        "apt-get": f'echo "$@" >>{calls}; test ! -f {tmp_path}/broken || {{ echo "E: no"; exit 100; }}; '
        f'case "$1" in install) for last; do :; done; case "$last" in runsc=*) echo "${{last#*=}}" ;; '
        f"*) echo 2.0 ;; esac >{state} ;; purge) rm -f {state} ;; esac",
    }
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path


def test_the_package_is_installed_and_purged(apt: Path) -> None:
    one = packages.AptStep()
    assert not one.is_done()
    state = one.before()
    one.do(quiet)
    assert one.is_done() and (apt / "version").read_text() == "2.0\n"
    one.undo(state, quiet)
    assert not (apt / "version").exists()
    one.undo(state, quiet)
    assert (apt / "calls").read_text().count("purge") == 1


def test_an_older_version_comes_back(apt: Path) -> None:
    (apt / "version").write_text("1.0")
    one = packages.AptStep()
    state = one.before()
    assert one.is_done(), "any version will do where no repository is asked for"
    one.do(quiet)
    one.undo(state, quiet)
    assert (apt / "version").read_text() == "1.0\n"
    assert "--allow-downgrades runsc=1.0" in (apt / "calls").read_text()


def test_the_repositorys_own_version_is_asked_for(apt: Path) -> None:
    (apt / "version").write_text("1.0")
    assert packages.AptStep(repository=packages.REPOSITORY).is_done()
    assert not packages.AptStep(repository="https://other.example").is_done()


def test_what_apt_says_is_passed_on(apt: Path) -> None:
    (apt / "broken").touch()
    with pytest.raises(EnvironmentFailure, match=r"install.*failed: E: no"):
        packages.AptStep().do(quiet)


def test_the_list_for_apt_is_the_guides() -> None:
    line = packages.sources_line().decode()
    assert line.startswith("deb [arch=")
    assert line.endswith(
        "signed-by=/usr/share/keyrings/gvisor-archive-keyring.gpg] "
        "https://storage.googleapis.com/gvisor/releases release main\n"
    )


def test_the_programs_of_the_build_before_are_kept_and_put_back(apt: Path) -> None:
    """The repository has its newest build alone, so apt cannot go back."""
    (apt / "version").write_text("1.0")
    runsc = apt / "runsc"
    runsc.write_text("build 1")
    runsc.chmod(0o755)
    query = apt / "programs" / "dpkg-query"
    answer = f'test "$1" != -L || {{ echo {runsc}; exit; }}'
    query.write_text(query.read_text().replace("\n", f"\n{answer}\n", 1))
    one = upgrade.UpgradeStep(str(apt / "state"))
    state = one.before()
    one.do(quiet)
    runsc.write_text("build 2")
    one.do(quiet)
    (apt / "broken").touch()
    one.undo(state, quiet)
    assert runsc.read_text() == "build 1", "a second run keeps what the first one kept"
    assert not (apt / "state" / "programs").exists()
    one.undo(state, quiet)


@pytest.mark.parametrize(
    ("says", "folder"),
    [
        ("FOLDER='/opt/apt/list.d/'\n", "/opt/apt/list.d"),
        ("FOLDER='list.d/'\n", "/etc/apt/sources.list.d"),
        ("", "/etc/apt/sources.list.d"),
    ],
)
def test_the_source_is_written_where_apt_says_that_it_reads(
    monkeypatch: pytest.MonkeyPatch, says: str, folder: str
) -> None:
    answer = subprocess.CompletedProcess([], 0, says, "")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: answer)
    assert os.path.dirname(packages.sources_file()) == folder
