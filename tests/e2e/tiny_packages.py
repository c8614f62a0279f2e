"""The smallest packages that package managers install, and a repository, each with the value 7 or a README."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

GO_MODULE = "example.test/tiny"


def wheel() -> bytes:
    """For pip and uv."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": b"VALUE = 7\n",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}"
        for name, data in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    return _zipped(files)


def tarball() -> bytes:
    """For npm, the same each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        files = {
            "package.json": b'{"name": "tiny", "version": "1.0.0"}',
            "index.js": b"module.exports = 7\n",
        }
        for name, data in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def integrity() -> str:
    """Of the tarball, as npm writes it."""
    return f"sha512-{base64.b64encode(hashlib.sha512(tarball()).digest()).decode()}"


def write_npm_project(folder: Path, registry: str) -> None:
    """A project whose lockfile names the tarball at `registry`."""
    folder.mkdir(parents=True)
    needs = {"tiny": "1.0.0"}
    (folder / "package.json").write_text(
        json.dumps({"name": "main", "version": "1.0.0", "dependencies": needs})
    )
    locked = {
        "version": "1.0.0",
        "resolved": f"{registry}/tiny/-/tiny-1.0.0.tgz",
        "integrity": integrity(),
    }
    packages = {
        "": {"name": "main", "version": "1.0.0", "dependencies": needs},
        "node_modules/tiny": locked,
    }
    lock = {"name": "main", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
    (folder / "package-lock.json").write_text(json.dumps(lock))


def write_go_proxy(folder: Path) -> None:
    """What Go's module proxy serves of `GO_MODULE` at v1.0.0."""
    versions = folder / GO_MODULE / "@v"
    versions.mkdir(parents=True)
    module = f"module {GO_MODULE}\n".encode()
    (versions / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (versions / "v1.0.0.mod").write_bytes(module)
    root = f"{GO_MODULE}@v1.0.0"
    files = {f"{root}/go.mod": module, f"{root}/tiny.go": b"package tiny\n\nconst Value = 7\n"}
    (versions / "v1.0.0.zip").write_bytes(_zipped(files))


def make_repository(work: Path, bare: Path) -> None:
    """A repository with one commit, README in it, and what is served of it."""
    work.mkdir(parents=True)
    (work / "README").write_text("a repository\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.test"]
    for command in (
        ["git", "init", "-q", "-b", "main", str(work)],
        ["git", "-C", str(work), "add", "."],
        ["git", "-C", str(work), *identity, "commit", "-qm", "first"],
        ["git", "clone", "-q", "--bare", str(work), str(bare)],
        ["git", "-C", str(bare), "config", "http.receivepack", "true"],
        ["git", "-C", str(bare), "update-server-info"],
    ):
        subprocess.run(command, check=True)


def _zipped(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return archive.getvalue()
