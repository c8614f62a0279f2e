"""The steps that install runsc: with apt, from gVisor's own repository, or from a file.

Before apt trusts the repository's key, it is compared with a fingerprint that ships with sandboxd.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.setup import files, openpgp
from sandboxd.setup.step import Say, State

# The key that gVisor's own source tree holds as website/archive.key since 2021-07-15; computed
# from its packets, see docs/decisions/0019.
KEY_FINGERPRINT = "6F1DF85E3A71C24918E727D56FC6D554E32BD943"
KEY_URL = "https://gvisor.dev/archive.key"
KEYRING = "/usr/share/keyrings/gvisor-archive-keyring.gpg"
SOURCES = "gvisor.list"
"""The name of apt's sources file that names the repository."""
REPOSITORY = "https://storage.googleapis.com/gvisor/releases"

FALLBACK = (
    "the distribution's package: `--source distribution`. Debian's is of 2024 (20240729): no filter in what "
    "`exec` starts, the host kernel's network, files of the host 3-4 x slower"
)
"""A hint for when gVisor's repository cannot be reached: another source, with its disadvantage."""

_LARGEST = 512 << 20


class KeyStep:
    """The step that installs gVisor's signing key, after a check of its fingerprint."""

    id = "repository-key"
    title = "fetch gVisor's signing key and compare its fingerprint"

    def __init__(self, fingerprint: str, url: str, keyring: str) -> None:
        self._fingerprint = re.sub(r"\s", "", fingerprint).upper()
        self._url = url
        self._keyring = keyring

    def shows(self) -> tuple[str, ...]:
        return (
            f"fetch {self._url}",
            f"refuse it unless its fingerprint is {self._fingerprint}",
            f"write {self._keyring}",
        )

    def is_done(self) -> bool:
        packets = files.read(self._keyring)
        if packets is None:
            return False
        with contextlib.suppress(EnvironmentFailure):
            return openpgp.fingerprints(packets) == [self._fingerprint]
        return False

    def before(self) -> State:
        return files.snapshot(self._keyring)

    def do(self, _say: Say) -> State:
        packets = openpgp.dearmour(_fetch(self._url))
        fingerprints = openpgp.fingerprints(packets)
        if fingerprints != [self._fingerprint]:
            raise EnvironmentFailure(
                f"the key of `{self._url}` has the fingerprint `{' '.join(fingerprints)}`, not "
                f"`{self._fingerprint}`: it is not trusted",
                "look whether gVisor announced a new key; then `--key-fingerprint FINGERPRINT`",
            )
        files.write(self._keyring, packets, 0o644)
        return {}

    def undo(self, state: State, _say: Say) -> None:
        files.restore(state)


class AptStep:
    """The step that installs the package `runsc` from any repository that apt has."""

    id = "package"
    title = "install the package runsc"

    def __init__(self, apt_get: str = "apt-get", repository: str = "") -> None:
        """:param repository: the URL that the installed version has to come from, '' for any"""
        self._apt = apt_get
        self._repository = repository

    def shows(self) -> tuple[str, ...]:
        return (
            f"{self._apt} update",
            f"{self._apt} install -y --no-install-recommends runsc",
        )

    def is_done(self) -> bool:
        if installed_version() is None:
            return False
        return not self._repository or self._repository in _origins()

    def before(self) -> State:
        return {"version": installed_version()}

    def do(self, say: Say) -> State:
        try:
            _apt(self._apt, "update", "-qq")
        except EnvironmentFailure as error:
            # The list of some other repository may fail; installing shows whether ours is there.
            say(f"  {error.message}")
        _apt(self._apt, "install", "-y", "-qq", "--no-install-recommends", "runsc")
        if self._repository and self._repository not in _origins():
            raise EnvironmentFailure(
                f"apt installed runsc {installed_version()}, and not from `{self._repository}`",
                f"look at what `{self._apt} update` says of it; {FALLBACK}",
            )
        return {"installed": installed_version()}

    def undo(self, state: State, say: Say) -> None:
        now, before = installed_version(), state["version"]
        if now == before:
            return
        if before is None:
            _apt(self._apt, "purge", "-y", "-qq", "runsc")
            return
        say(f"  back to runsc {before}")
        _apt(self._apt, "install", "-y", "-qq", "--allow-downgrades", f"runsc={before}")


class BinaryStep:
    """The step that installs runsc from a file: the program alone, or gVisor's archive with further programs."""

    id = "binary"

    def __init__(self, source: str, checksum_file: str, folder: str) -> None:
        self._source = source
        self._checksum_file = checksum_file
        self._folder = folder
        self.title = f"copy runsc to {folder}, its checksum compared"

    @property
    def runsc(self) -> str:
        return os.path.join(self._folder, "runsc")

    def shows(self) -> tuple[str, ...]:
        return (
            f"compare the SHA-512 of {self._source} with {self._checksum_file}",
            f"write {self.runsc}",
        )

    def is_done(self) -> bool:
        with contextlib.suppress(EnvironmentFailure, UsageError):
            contents = self._contents()
            return all(
                files.digest(_whole(os.path.join(self._folder, name))) == files.digest(data)
                for name, data in contents.items()
            )
        return False

    def before(self) -> State:
        """Return no state: `do` renames the present file, so that the journal needs no copy of a large program."""
        names = sorted(self._contents())
        there = [name for name in names if os.path.lexists(os.path.join(self._folder, name))]
        folders = [
            os.path.join(self._folder, folder)
            for folder in sorted({os.path.dirname(name) for name in names} - {""})
            if not os.path.isdir(os.path.join(self._folder, folder))
        ]
        return {"names": names, "there": there, "folders": folders}

    def do(self, _say: Say) -> State:
        for name, data in self._contents().items():
            path = os.path.join(self._folder, name)
            backup = _backup_path(path)
            if os.path.lexists(path) and not os.path.lexists(backup) and _whole(path) != data:
                os.rename(path, backup)
            files.write(path, data, 0o755)
        return {}

    def undo(self, state: State, _say: Say) -> None:
        for name in state["names"]:
            path = os.path.join(self._folder, name)
            if os.path.lexists(_backup_path(path)):
                os.rename(_backup_path(path), path)
            elif name not in state["there"]:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
        for folder in reversed(state["folders"]):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def _contents(self) -> dict[str, bytes]:
        """The content of each file to install, by name.

        :raises UsageError: a file is missing, or its checksum differs
        """
        data = _read_or_refuse(self._source)
        listed = _read_or_refuse(self._checksum_file).decode("ascii", "replace")
        checksum = hashlib.sha512(data).hexdigest()
        if checksum not in listed.lower().split():
            raise UsageError(
                f"`{self._source}` has the SHA-512 `{checksum[:16]}...`, which is not in "
                f"`{self._checksum_file}`",
                "fetch both again",
            )
        if data.startswith(b"\x7fELF"):
            return {"runsc": data}
        return _unpack(self._source, data)


def _unpack(name: str, data: bytes) -> dict[str, bytes]:
    """runsc and the programs beside it from gVisor's archive."""
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                path = os.path.normpath(member.name)
                if not member.isfile() or path.startswith(("/", "..")):
                    continue
                file = archive.extractfile(member)
                if file is not None:
                    contents[path] = file.read()
    except tarfile.TarError as error:
        raise UsageError(
            f"`{name}` is neither a program nor an archive: {error}", "name runsc or gvisor.tar.bz2"
        ) from None
    if "runsc" not in contents:
        raise UsageError(f"`{name}` holds no `runsc`", "name gVisor's own archive")
    return contents


def _backup_path(path: str) -> str:
    return f"{path}.before-sandboxd"


def _read_or_refuse(path: str) -> bytes:
    try:
        if os.path.getsize(path) > _LARGEST:
            raise UsageError(f"`{path}` is too large", "name runsc or its archive")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}", "check the path"
        ) from None


def _whole(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def find_runsc() -> str | None:
    """The path of runsc in the system's program folders; None if it is not installed."""
    return shutil.which("runsc", path="/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin")


def sources_line(repository: str = REPOSITORY, keyring: str = KEYRING) -> bytes:
    """The content of apt's sources file for the repository, as in gVisor's installation guide."""
    process = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=False
    )
    architecture = process.stdout.strip() or "amd64"
    return f"deb [arch={architecture} signed-by={keyring}] {repository} release main\n".encode()


def sources_file() -> str:
    """The path of apt's sources file for the repository."""
    folder = "/etc/apt/sources.list.d"
    with contextlib.suppress(OSError):
        process = subprocess.run(
            ["apt-config", "shell", "FOLDER", "Dir::Etc::sourceparts/d"],
            capture_output=True,
            text=True,
            check=False,
        )
        words = shlex.split(process.stdout)
        if words and words[0].startswith("FOLDER=/"):
            folder = words[0].removeprefix("FOLDER=")
    return os.path.join(folder, SOURCES)


def installed_version() -> str | None:
    """The version of the installed package runsc; None if it is not installed."""
    try:
        process = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Status}|${Version}", "runsc"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    status, _, version = process.stdout.partition("|")
    return version if status.startswith("install ok installed") else None


def _origins() -> str:
    """The repositories that apt names for the installed version of runsc."""
    process = subprocess.run(
        ["apt-cache", "policy", "runsc"], capture_output=True, text=True, check=False
    )
    installed = re.search(r"^ \*\*\* .*\n((?: {8,}.*\n?)*)", process.stdout, re.MULTILINE)
    return installed[1] if installed else ""


def _apt(program: str, *arguments: str) -> None:
    environment = {
        **os.environ,
        "DEBIAN_FRONTEND": "noninteractive",
        "NEEDRESTART_MODE": "l",
    }
    process = subprocess.run(
        [program, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if process.returncode:
        lines = [line for line in process.stdout.splitlines() if line.startswith("E:")]
        errors = " ".join(lines) or " ".join(process.stdout.split())[-200:]
        raise EnvironmentFailure(
            f"`{program} {' '.join(arguments)}` failed: {errors}",
            f"run `{program} update` and look",
        )


def _fetch(url: str) -> str:
    if not url.startswith(("https://", "file://")):
        raise UsageError(f"`{url}` is not fetched over TLS", "use https")
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - checked above
            data: bytes = answer.read(1 << 20)
            return data.decode("ascii", "replace")
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise EnvironmentFailure(
            f"cannot fetch `{url}`: {error}",
            f"{FALLBACK}; or take a file: `--from FILE`",
        ) from None
