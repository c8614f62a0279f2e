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
_NPM = "/usr/local/share/npm-global"

_PACKAGES = """
build-essential ca-certificates cargo cmake curl default-jdk-headless git golang-go iproute2 libpq-dev
mariadb-server nodejs npm openssh-client php-cli pkg-config postgresql procps python3 python3-dev python3-pip
python3-venv
"""

# As in the images of dev containers: a user that is not root, named in the label, a pip that may install, and
# packages of npm that this user may install for all. `node` and `vscode` are two names of one user.
_WORKSPACE = f"""
FROM {BASE}
COPY ca-certificates.crt {CERTIFICATES}
ENV PIP_CERT={CERTIFICATES} NODE_EXTRA_CA_CERTS={CERTIFICATES}
ENV NPM_CONFIG_PREFIX={_NPM} PATH={_NPM}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN useradd --create-home --uid 1000 --shell /bin/bash vscode \
 && useradd --non-unique --uid 1000 --gid 1000 --no-create-home --home-dir /home/vscode --shell /bin/bash node \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \
 && npm install --global --no-fund --no-audit pnpm@8 yarn@1 && chown -R vscode {_NPM}
LABEL devcontainer.metadata='[{{"remoteUser":"vscode"}}]'
CMD ["bash"]
"""

# As the official images: their variables, their folders, and an entry point that steps down from root.
_START_POSTGRES = """#!/bin/bash
set -e
export PGDATA=${PGDATA:-/var/lib/postgresql/data} PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /run/postgresql
  chown -R postgres "$PGDATA" /run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  initdb --username="$user" --pwfile=<(echo "${POSTGRES_PASSWORD:-none}") --no-sync >/dev/null
  echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
  [ "$database" = postgres ] || echo "create database \\"$database\\"" | postgres --single postgres >/dev/null
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/run/postgresql "$@"
"""
_START_MYSQL = """#!/bin/bash
set -e
data=/var/lib/mysql
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$data" /run/mysqld
  chown -R mysql "$data" /run/mysqld
  exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
fi
if [ ! -d "$data/mysql" ]; then
  mariadb-install-db --datadir="$data" --skip-test-db >/dev/null
  {
    echo "flush privileges;"
    echo "alter user root@localhost identified by '${MYSQL_ROOT_PASSWORD}';"
    [ -z "$MYSQL_USER" ] || echo "create user '$MYSQL_USER'@'%' identified by '$MYSQL_PASSWORD';"
    [ -z "$MYSQL_DATABASE" ] || echo "create database \\`$MYSQL_DATABASE\\`;"
    cat /docker-entrypoint-initdb.d/*.sql 2>/dev/null
  } >/tmp/init.sql
  init=--init-file=/tmp/init.sql
fi
# The words of a project's `command` are MySQL's own: MariaDB does not know them.
exec mariadbd --no-defaults --datadir="$data" --bind-address=0.0.0.0 --socket=/run/mysqld/mysqld.sock $init
"""
_DATABASES = {
    "postgres": ("/var/lib/postgresql/data", _START_POSTGRES),
    "mysql": ("/var/lib/mysql", _START_MYSQL),
}
"""By the repository of an image: its volume, and its entry point."""

_DATABASE = f"""
FROM {BASE}
COPY start /usr/local/bin/start
RUN rm -rf {{volume}}
VOLUME {{volume}}
ENTRYPOINT ["/usr/local/bin/start"]
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
    workspace = ""
    with tempfile.TemporaryDirectory() as folder:
        # A machine behind a proxy with certificates of its own is one inside as well.
        shutil.copyfile(CERTIFICATES, Path(folder) / CERTIFICATES.name)
        for name in names:
            database = _DATABASES.get(name.partition(":")[0])
            if database is not None:
                (Path(folder) / "start").write_text(database[1])
                (Path(folder) / "start").chmod(0o755)
                _build(name, _DATABASE.format(volume=database[0]), folder, environ)
            elif workspace:
                _run(["docker", "tag", workspace, name], environ)
            else:
                workspace = name
                _build(name, _WORKSPACE, folder, environ)


def _build(name: str, text: str, folder: str, environ: dict[str, str]) -> None:
    (Path(folder) / "Dockerfile").write_text(text)
    _run(["docker", "build", "--quiet", "--tag", name, folder], environ)


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
