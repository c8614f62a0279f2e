"""An image with the tools of the templates that Debian has: Go, PostgreSQL and Redis beside the rest.

It stands for the images that the templates name, which come from a registry.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e import rich_image

TAG = "sandboxd-templates:1"
POSTGRES, REDIS = 999, 998

_USERS = (
    f"postgres:x:{POSTGRES}:{POSTGRES}::/var/lib/postgresql:/bin/sh\n"
    f"redis:x:{REDIS}:{REDIS}::/data:/bin/sh\n"
)
_PROGRAMS = ("base64", "redis-server", "redis-cli")
_DATABASE = ("initdb", "pg_isready", "postgres", "psql")
_GO_TOOLS = ("asm", "buildid", "compile", "link", "pack", "test2json", "vet")


def build(docker_host: str, folder: Path) -> str:
    """Make the image and import it into the engine; about fifteen seconds. Returns its tag."""
    rich_image.build(docker_host, folder, TAG, _more)
    return TAG


def _more(root: Path) -> list[str]:
    with (root / "etc/passwd").open("a") as file:
        file.write(_USERS)
    paths = [_put(_find(name), root / "usr/bin" / name) for name in _PROGRAMS]
    return [*paths, *_postgres(root), *_go(root)]


def _find(name: str) -> str:
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"no `{name}`: run `CI=true ./dev setup --tests`")
    return path


def _put(source: str, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    return source


def _postgres(root: Path) -> list[str]:
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not folders:
        pytest.skip("no PostgreSQL: run `CI=true ./dev setup --tests`")
    home = os.path.dirname(os.path.dirname(folders[-1]))
    inside = root / home.lstrip("/")
    for name in _DATABASE:
        _put(f"{home}/bin/{name}", inside / "bin" / name)
        (root / "usr/bin" / name).symlink_to(f"{home}/bin/{name}")
    # Without what compiles queries: it brings a compiler of 100 MB.
    plain = shutil.ignore_patterns("bitcode", "llvmjit*", "pgxs")
    shutil.copytree(f"{home}/lib", inside / "lib", ignore=plain)
    share = f"/usr/share/postgresql/{os.path.basename(home)}"
    shutil.copytree(share, root / share.lstrip("/"), ignore=shutil.ignore_patterns("man"))
    _put("/usr/share/zoneinfo/Etc/UTC", root / "usr/share/zoneinfo/Etc/UTC")
    (root / "usr/bin/docker-entrypoint.sh").symlink_to("/opt/inside/docker-entrypoint.sh")
    for name in ("var/lib/postgresql/data", "run/postgresql"):
        (root / name).mkdir(parents=True)
        os.chown(root / name, POSTGRES, POSTGRES)
    (root / "var/run").symlink_to("/run")
    return [f"{home}/bin/{name}" for name in _DATABASE]


def _go(root: Path) -> list[str]:
    """The toolchain where it is here, and the compiled standard library as images of Go have it."""
    home = subprocess.run(
        [_find("go"), "env", "GOROOT"], check=True, capture_output=True, text=True
    ).stdout.strip()
    inside = root / home.lstrip("/")
    for name in ("VERSION", "go.env", "bin/go"):
        _put(f"{home}/{name}", inside / name)
    (tools,) = glob.glob(f"{home}/pkg/tool/*")
    for name in _GO_TOOLS:
        _put(f"{tools}/{name}", inside / os.path.relpath(tools, home) / name)
    unneeded = shutil.ignore_patterns("testdata", "*_test.go", "cmd")
    shutil.copytree(f"{home}/src", inside / "src", ignore=unneeded)
    shutil.copytree(f"{home}/pkg/include", inside / "pkg/include")
    (root / "usr/bin/go").symlink_to(f"{home}/bin/go")
    cache = root / "tmp/.cache/go-build"
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(root / "tmp"), "GOCACHE": str(cache)}
    sample = Path(__file__).resolve().parents[2] / "devcontainer-templates/go/sample"
    # What the test of a program needs is all that the program needs.
    words = [f"{home}/bin/go", "test", "-run", "none", "."]
    subprocess.run(words, cwd=sample, env=environ, check=True, capture_output=True)
    for path in (root / "tmp/.cache", *(root / "tmp/.cache").rglob("*")):
        os.chown(path, 1000, 1000)
    return [f"{home}/bin/go"]
