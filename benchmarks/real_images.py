"""Images of Debian packages that stand for those which real projects name, where no image registry is reached.

A file system with the languages' tools is made once by `mmdebstrap`, from the package sources of this machine,
and kept below .dev; each project's image is that, under the name that the project's files use.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_SYSTEM = ROOT / ".dev" / "real-projects" / "debian.tar"
BASE = "sandboxd-real-projects:1"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

_PACKAGES = """
build-essential ca-certificates cargo cmake composer curl default-jdk-headless git golang-go iproute2 libpq-dev
mariadb-client maven nodejs npm openssh-client php-cli pkg-config postgresql-client procps python3 python3-dev
python3-pip python3-venv
"""

# As in the images of dev containers: a user that is not root, named in the label, and a pip that may install.
# `node` and `vscode` are names of one user, since projects use either.
_DOCKERFILE = f"""
FROM {BASE}
COPY ca-certificates.crt {CERTIFICATES}
RUN useradd --create-home --uid 1000 --shell /bin/bash vscode \
 && useradd --non-unique --uid 1000 --gid 1000 --no-create-home --home-dir /home/vscode --shell /bin/bash node \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ENV PIP_CERT={CERTIFICATES} NODE_EXTRA_CA_CERTS={CERTIFICATES}
LABEL devcontainer.metadata='[{{"remoteUser":"vscode"}}]'
CMD ["bash"]
"""


class Missing(Exception):
    """What these images are made of is not there; the text says what, and how to have it."""


def make(docker_host: str, names: Iterable[str]) -> None:
    """Have an image by each of `names` in the engine.

    :raises Missing: there is no `mmdebstrap`, or the packages cannot be had
    """
    if not FILE_SYSTEM.is_file():
        _make_file_system()
    environ = os.environ | {"DOCKER_HOST": docker_host}
    _run(["docker", "import", str(FILE_SYSTEM), BASE], environ)
    first, *others = names
    with tempfile.TemporaryDirectory() as folder:
        # A machine behind a proxy with certificates of its own is one inside as well.
        shutil.copyfile(CERTIFICATES, Path(folder) / CERTIFICATES.name)
        (Path(folder) / "Dockerfile").write_text(_DOCKERFILE)
        _run(["docker", "build", "--quiet", "--tag", first, folder], environ)
    for name in others:
        _run(["docker", "tag", first, name], environ)


def _make_file_system() -> None:
    if shutil.which("mmdebstrap") is None:
        raise Missing("`mmdebstrap` is missing: run `apt-get install mmdebstrap`")
    print("making a file system of Debian packages, once: two minutes", file=sys.stderr)
    FILE_SYSTEM.parent.mkdir(parents=True, exist_ok=True)
    half = FILE_SYSTEM.with_name("half.tar")
    include = "--include=" + ",".join(_PACKAGES.split())
    _run(["mmdebstrap", "--variant=apt", include, _suite(), str(half)], dict(os.environ))
    half.rename(FILE_SYSTEM)


def _suite() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2]
    raise Missing("/etc/os-release names no suite of Debian")


def _run(command: list[str], environ: dict[str, str]) -> None:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip()[-400:]
        raise Missing(f"`{' '.join(command[:2])}` ended with {done.returncode}: {last}")
