"""Runs in the sandbox of an installation: fetches archives, compares their digests, and unpacks them.

Only the standard library. Nothing of an archive is unpacked before all of it has the digest that was asked for,
and nothing of it is run. Each line of the output is one thing that happened, for `life.program_volume`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import ssl
import tarfile
import urllib.error
import urllib.request
import zlib
from typing import Any

CHUNK = 1 << 20
PATIENCE_SECONDS = 60.0
TOP = "package/"
"""The folder in an archive of npm that all its files are in."""

_LONGEST_NAME = 120


class Failure(Exception):
    """An error, in words for a person.

    `reason` is ``unreachable`` where the server was not reached, ``tls`` where its certificate is not trusted, else ''.
    """

    def __init__(self, words: str, reason: str = "") -> None:
        super().__init__(words)
        self.reason = reason


class NamingSocket(ssl.SSLSocket):
    """Says in its errors who issued the certificate that was shown, as `egress.issuer` does for the gateway."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            error.strerror = f"its certificate: {error.verify_message}{self._issued_by()}"
            raise

    def _issued_by(self) -> str:
        try:
            shown = self._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
            fields = {key: value for part in shown[0].get_info()["issuer"] for key, value in part}
        except (AttributeError, TypeError, IndexError, KeyError, ValueError, ssl.SSLError):
            return ""
        name = fields.get("commonName") or fields.get("organizationName") or ""
        # Whoever is on the way chose it.
        name = "".join(each for each in name if each.isprintable() and each != "`")[:_LONGEST_NAME]
        return f", issued by `{name}`" if name else ""


def main(task: dict[str, Any]) -> None:
    folder = task["folder"]
    try:
        empty(folder)
        for package in task["packages"]:
            archive = os.path.join(folder, ".archive")
            fetch(package, archive, task["authorities"])
            say("unpack", package["name"])
            unpack(archive, folder)
            os.unlink(archive)
        say("done", size_of(folder))
    except Failure as failure:
        say("failed", str(failure), failure.reason)
    except OSError as error:
        say("failed", f"`{error.filename or folder}`: {error.strerror or error}")


def say(*words: object) -> None:
    print(json.dumps(words), flush=True)


def empty(folder: str) -> None:
    """Remove what an interrupted installation left."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def fetch(package: dict[str, str], path: str, authorities: str) -> None:
    """Fetch an archive into the file `path`.

    :raises Failure: it cannot be fetched, or has another digest
    """
    context = ssl.create_default_context(cadata=authorities)
    context.sslsocket_class = NamingSocket
    url, digest = package["url"], hashlib.sha512()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(url, timeout=PATIENCE_SECONDS) as answer, open(path, "wb") as file:
            total, got = int(answer.headers.get("Content-Length") or 0), 0
            while data := answer.read(CHUNK):
                digest.update(data)
                file.write(data)
                got += len(data)
                say("fetch", package["name"], got, total)
    except urllib.error.HTTPError as error:
        raise Failure(f"`{url}` answers {error.code} {error.reason}") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        # The number of an error says nothing that its words do not.
        why = (isinstance(reason, OSError) and reason.strerror) or reason
        kind = "tls" if isinstance(reason, ssl.SSLCertVerificationError) else "unreachable"
        raise Failure(f"`{url}` cannot be fetched: {why}", kind) from None
    actual = "sha512-" + base64.b64encode(digest.digest()).decode("ascii")
    if actual != package["integrity"]:
        raise Failure(f"`{url}` is another content than it has to be: its digest is `{actual}`")


def unpack(archive: str, folder: str) -> None:
    """Unpack the files of an archive, without its top folder.

    :raises Failure: it is no archive, or holds what no package may
    """
    try:
        with gzip.open(archive) as data, tarfile.open(fileobj=data, mode="r|") as tar:
            for entry in tar:
                if entry.name.startswith(TOP) and (entry.isfile() or entry.isdir()):
                    entry.name = entry.name[len(TOP) :]
                    tar.extract(entry, folder, set_attrs=True, filter="data")
                    if entry.isfile():
                        mode = 0o755 if entry.mode & 0o100 else 0o644
                        os.chmod(os.path.join(folder, entry.name), mode)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Failure(f"the archive cannot be unpacked: {error}") from None


def size_of(folder: str) -> int:
    """Bytes of all files below `folder`."""
    return sum(
        os.lstat(os.path.join(above, name)).st_size
        for above, _, names in os.walk(folder)
        for name in names
    )
