"""Images of real databases, made of this machine's Debian packages: their entry points step down as the usual ones do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

POSTGRES, REDIS = "postgres:debian", "redis:debian"
"""By these names `profiles/services` knows what they need."""

_LIBRARY = re.compile(r"(?:=> |^\s*)(/\S+) \(0x")
_PROGRAMS = [
    "bash",
    "cat",
    "chmod",
    "chown",
    "env",
    "gzip",
    "id",
    "ls",
    "mkdir",
    "rm",
    "setpriv",
    "sleep",
    "tar",
]
_USERS = "root:x:0:0:root:/root:/bin/sh\npostgres:x:999:999::/data:/bin/sh\nredis:x:998:998::/data:/bin/sh\n"
_GROUPS = "root:x:0:\npostgres:x:999:\nredis:x:998:\n"

_START_POSTGRES = """#!/bin/bash
set -e
if [ "$(id -u)" = 0 ]; then
  mkdir -p /data/db /run/postgresql
  chown -R postgres:postgres /data/db /run/postgresql
  chmod 700 /data/db
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s /data/db/PG_VERSION ]; then
  initdb -D /data/db --username=postgres --auth=trust --no-sync >/dev/null
  echo 'host all all all trust' >>/data/db/pg_hba.conf
  for file in /initdb.d/*.sql; do
    [ -e "$file" ] && postgres --single -D /data/db postgres <"$file" >/dev/null
  done
fi
exec postgres -D /data/db -c listen_addresses='*' -c unix_socket_directories=/run/postgresql -c fsync=off "$@"
"""
_START_REDIS = """#!/bin/bash
set -e
if [ "$(id -u)" = 0 ]; then
  mkdir -p /data
  chown -R redis:redis /data
  exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi
exec redis-server --dir /data --protected-mode no "$@"
"""


def missing() -> str:
    """What this machine lacks to make them, in words; '' for nothing."""
    if not _postgres_folder():
        return "no PostgreSQL: apt-get install postgresql"
    return "" if shutil.which("redis-server") else "no Redis: apt-get install redis-server"


def build(docker_host: str, folder: Path) -> None:
    """Make both and import them into the engine."""
    programs = _postgres_folder()
    postgres = [str(programs / name) for name in ("initdb", "pg_isready", "postgres", "psql")]
    version = programs.parent.name
    trees = [f"/usr/lib/postgresql/{version}/lib", f"/usr/share/postgresql/{version}"]
    trees += ["/usr/share/zoneinfo/Etc", "/usr/share/postgresql-common/pg_wrapper"]
    _image(docker_host, folder / "postgres", POSTGRES, postgres, trees, _START_POSTGRES)
    redis = [path for name in ("redis-server", "redis-cli") if (path := shutil.which(name))]
    _image(docker_host, folder / "redis", REDIS, redis, [], _START_REDIS)


def _postgres_folder() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    usable = [folder for folder in folders if (folder / "initdb").exists()]
    return usable[-1] if usable else Path()


def _image(
    docker_host: str, root: Path, tag: str, programs: list[str], trees: list[str], start: str
) -> None:
    for name in ("bin", "etc", "data", "tmp", "run", "proc", "sys", "dev", "usr/lib", "usr/lib64"):
        (root / name).mkdir(parents=True)
    for name in ("lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "bin/sh").symlink_to("bash")
    (root / "tmp").chmod(0o1777)
    every = [*programs, *(path for name in _PROGRAMS if (path := shutil.which(name)))]
    binaries = []
    for path in every:
        # Where PostgreSQL finds the files beside it.
        place = path if path.startswith("/usr/lib/postgresql") else f"/bin/{os.path.basename(path)}"
        binaries.append(_copy(os.path.realpath(path), root / place.lstrip("/")))
    for tree in filter(os.path.isdir, trees):
        ignore = shutil.ignore_patterns("bitcode", "pgxs", "llvmjit*")
        shutil.copytree(tree, root / tree.lstrip("/"), ignore=ignore, dirs_exist_ok=True)
        binaries += [str(path) for path in (root / tree.lstrip("/")).glob("*.so")]
    for library in _libraries(binaries):
        _copy(os.path.realpath(library), root / f"usr/{library.removeprefix('/usr/').lstrip('/')}")
    (root / "etc/passwd").write_text(_USERS)
    (root / "etc/group").write_text(_GROUPS)
    (root / "bin/start").write_text(start)
    (root / "bin/start").chmod(0o755)
    archive = root.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(root, ".")
    folders = {os.path.dirname(path) for path in programs if "postgresql" in path}
    path = ":".join(["/bin", *sorted(folders)])
    changes = [f"ENV PATH={path}", "ENV LC_ALL=C", 'ENTRYPOINT ["/bin/start"]', "VOLUME /data"]
    flags = [word for change in changes for word in ("-c", change)]
    subprocess.run(
        ["docker", "import", *flags, str(archive), tag],
        env=os.environ | {"DOCKER_HOST": docker_host},
        check=True,
        capture_output=True,
    )
    archive.unlink()
    shutil.rmtree(root)


def _copy(source: str, target: Path) -> str:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return source


def _libraries(binaries: list[str]) -> list[str]:
    done = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False)
    return sorted({path for line in done.stdout.splitlines() for path in _LIBRARY.findall(line)})
