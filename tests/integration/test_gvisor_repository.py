"""gVisor's own repository: a signed one on disk, and apt and dpkg themselves, below folders of the test's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import gvisor, packages, runner
from sandboxd.setup.gvisor import Options
from sandboxd.setup.journal import Journal
from sandboxd.setup.step import Step
from sandboxd.setup.upgrade import UpgradeStep
from tests.integration.apt_repository import Repository, machine

NEEDS = ("apt-get", "dpkg-deb", "apt-ftparchive", "gpg")
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, NEEDS)), reason=f"needs {', '.join(NEEDS)}"
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    # gpg's agent has a socket in its home, whose path may have 107 bytes only.
    result = Repository(tmp_path_factory.mktemp("r"))
    yield result
    result.end()


@pytest.fixture
def root(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine, and the first build in the repository."""
    folder = tmp_path / "root"
    for name, value in machine(folder).items():
        monkeypatch.setenv(name, value)
    shutil.rmtree(repository.folder.parent / "package-1.0", ignore_errors=True)
    repository.publish("1.0", b"#!/bin/sh\necho one\n")
    return folder


def options(repository: Repository, root: Path) -> Options:
    return Options(
        source="repository",
        repository=repository.url,
        key_url=f"file://{repository.key}",
        key_fingerprint=repository.fingerprint,
        keyring=f"{root}/keyring.gpg",
        state=f"{root}/state/gvisor",
    )


def install_steps(chosen: Options) -> list[Step]:
    return [
        step
        for step in gvisor.steps(chosen)
        if step.id in ("repository-key", "repository", "package")
    ]


def quiet(_line: str) -> None:
    return None


def tree(root: Path) -> set[str]:
    """What is there, without the lists and logs that apt keeps for itself."""
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if not str(path.relative_to(root)).startswith(("var/", "state"))
    }


def test_runsc_comes_from_a_repository_whose_key_is_the_expected_one_and_goes(
    repository: Repository, root: Path
) -> None:
    before = tree(root)
    chosen = options(repository, root)
    steps = install_steps(chosen)
    journal = Journal(chosen.state)
    journal.start(chosen.as_json())
    assert runner.apply(steps, journal, quiet)
    assert packages.installed_version() == "1.0"
    assert (root / "usr/bin/runsc").read_text() == "#!/bin/sh\necho one\n"
    assert (
        f"signed-by={root}/keyring.gpg" in (root / "etc/apt/sources.list.d/gvisor.list").read_text()
    )
    assert all(step.is_done() for step in install_steps(chosen))
    runner.roll_back(steps, journal, quiet)
    assert packages.installed_version() is None
    assert tree(root) - {"usr", "usr/bin"} == before


def test_another_key_is_not_trusted(repository: Repository, root: Path) -> None:
    chosen = options(repository, root)._replace(key_fingerprint=packages.KEY_FINGERPRINT)
    journal = Journal(chosen.state)
    journal.start(chosen.as_json())
    with pytest.raises(EnvironmentFailure, match="it is not trusted; everything was put back"):
        runner.apply(install_steps(chosen), journal, quiet)
    assert packages.installed_version() is None and not Path(chosen.keyring).exists()


@pytest.mark.parametrize("file", ["dists/release/InRelease", "pool/runsc_1.0"])
def test_a_repository_that_was_changed_installs_nothing(
    repository: Repository, root: Path, file: str
) -> None:
    path = next(repository.folder.glob(f"{file}*"))
    data = path.read_bytes()
    changed = (
        data.replace(b"Suite: release", b"Suite: another") if "InRelease" in file else data + b"x"
    )
    assert changed != data
    path.write_bytes(changed)
    chosen = options(repository, root)
    journal = Journal(chosen.state)
    journal.start(chosen.as_json())
    with pytest.raises(EnvironmentFailure, match="everything was put back"):
        runner.apply(install_steps(chosen), journal, quiet)
    assert packages.installed_version() is None
    assert not (root / "etc/apt/sources.list.d/gvisor.list").exists()


def test_a_build_of_another_repository_does_not_pass_for_it(
    repository: Repository, root: Path, tmp_path: Path
) -> None:
    """The lists of gVisor's repository are refused, and another one has a package of the same name."""
    (tmp_path / "other").mkdir()
    other = Repository(tmp_path / "other")
    other.publish("0.0~20240729", b"#!/bin/sh\necho other\n")
    other.end()
    line = f"deb [trusted=yes] {other.url} release main\n"
    (root / "etc/apt/sources.list.d/other.list").write_text(line)
    release = repository.folder / "dists/release/InRelease"
    release.write_bytes(release.read_bytes().replace(b"Suite: release", b"Suite: another"))
    chosen = options(repository, root)
    journal = Journal(chosen.state)
    journal.start(chosen.as_json())
    with pytest.raises(EnvironmentFailure, match="not from"):
        runner.apply(install_steps(chosen), journal, quiet)
    assert packages.installed_version() is None


def test_an_update_keeps_the_programs_of_before_which_apt_no_longer_has(
    repository: Repository, root: Path
) -> None:
    chosen = options(repository, root)
    first = Journal(chosen.state)
    first.start(chosen.as_json())
    runner.apply(install_steps(chosen), first, quiet)
    shutil.rmtree(repository.folder.parent / "package-2.0", ignore_errors=True)
    repository.publish("2.0", b"#!/bin/sh\necho two\n")
    # The archive of the first build is gone from apt's cache as well.
    for archive in (root / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()

    steps: list[Step] = [UpgradeStep(f"{root}/state/update")]
    journal = Journal(f"{root}/state/update")
    journal.start({})
    assert runner.apply(steps, journal, quiet)
    assert packages.installed_version() == "2.0"
    assert (root / "usr/bin/runsc").read_text() == "#!/bin/sh\necho two\n"

    lines: list[str] = []
    runner.roll_back(steps, journal, lines.append)
    assert (root / "usr/bin/runsc").read_text() == "#!/bin/sh\necho one\n"
    assert any("apt no longer has runsc 1.0" in line for line in lines)
    assert not Path(f"{root}/state/update").exists()
