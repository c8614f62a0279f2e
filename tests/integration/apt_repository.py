"""A signed apt repository of runsc on this machine's disk, and a machine of apt's and dpkg's own below a folder."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

_CONFIG = """\
Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::Bin::dpkg "/usr/bin/dpkg";
Dir::Bin::Methods "/usr/lib/apt/methods";
Dir::Etc::trustedparts "{root}/etc/apt/trusted.gpg.d";
DPkg::Options {{ "--root={root}"; "--force-not-root"; "--force-script-chrootless"; }};
APT::Sandbox::User "root";
APT::Get::List-Cleanup "false";
"""
_CONTROL = """\
Package: runsc
Version: {version}
Architecture: {architecture}
Maintainer: nobody <nobody@example.org>
Description: a build of gVisor for a test
"""


def run(*words: str, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        words, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def machine(root: Path) -> dict[str, str]:
    """Variables by which apt and dpkg work on the empty machine that is made below `root`."""
    for folder in (
        "etc/apt/sources.list.d",
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "etc/apt/trusted.gpg.d",
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/log/apt",
    ):
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "apt.conf").write_text(_CONFIG.format(root=root))
    return {"APT_CONFIG": str(root / "apt.conf"), "DPKG_ROOT": str(root)}


class Repository:
    """A repository as gVisor publishes it: suite `release`, component `main`, one version of runsc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self.key = folder / "archive.key"
        self._home = folder / "gnupg"
        self._home.mkdir(mode=0o700)
        self.folder.mkdir()
        self._gpg("--quick-gen-key", "gvisor-test@example.org", "default", "default", "never")
        self.key.write_text(self._gpg("--armor", "--export"))
        listing = self._gpg("--with-colons", "--fingerprint")
        match = re.search(r"^fpr:+([0-9A-F]{40}):", listing, re.MULTILINE)
        assert match is not None, listing
        self.fingerprint = match[1]

    @property
    def url(self) -> str:
        return f"file:{self.folder}"

    def publish(self, version: str, program: bytes) -> None:
        """Make `version` the only one, signed."""
        architecture = run("dpkg", "--print-architecture").strip()
        pool = self.folder / "pool"
        for old in pool.glob("*.deb"):
            old.unlink()
        tree = self.folder.parent / f"package-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "usr/bin").mkdir(parents=True)
        text = _CONTROL.format(version=version, architecture=architecture)
        (tree / "DEBIAN/control").write_text(text)
        (tree / "usr/bin/runsc").write_bytes(program)
        (tree / "usr/bin/runsc").chmod(0o755)
        pool.mkdir(exist_ok=True)
        run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(pool))
        lists = self.folder / f"dists/release/main/binary-{architecture}"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / "Packages").write_text(run("apt-ftparchive", "packages", "pool", cwd=self.folder))
        self._sign()

    def _sign(self) -> None:
        suite = self.folder / "dists/release"
        for old in ("InRelease", "Release"):
            (suite / old).unlink(missing_ok=True)
        options = ("-o", "APT::FTPArchive::Release::Suite=release")
        release = run("apt-ftparchive", *options, "release", str(suite))
        (suite / "Release").write_text(release)
        self._gpg("--clearsign", "-o", str(suite / "InRelease"), str(suite / "Release"))

    def _gpg(self, *words: str) -> str:
        options = ("--batch", "--yes", "--passphrase", "", "--pinentry-mode", "loopback")
        return run("gpg", "--homedir", str(self._home), *options, *words)

    def end(self) -> None:
        """End the agent that gpg started."""
        run("gpgconf", "--homedir", str(self._home), "--kill", "all", environ={**os.environ})
