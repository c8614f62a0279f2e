"""An image with programs of daily work that use the network, of those that this machine has."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from pathlib import Path

from tests.e2e import client_services, rich_image, tiny_packages

REPOSITORY = Path(__file__).resolve().parents[2]

# Linked statically, it reads no variable of a proxy and no library of the image.
_DIAL = """
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *first;
  char text[100];
  if (getaddrinfo(words[1], words[2], &hints, &first)) return puts("no address"), 1;
  int sock = socket(first->ai_family, SOCK_STREAM, 0);
  if (connect(sock, first->ai_addr, first->ai_addrlen)) return perror("connect"), 1;
  write(sock, "PING\\r\\n", 6);
  return fwrite(text, 1, read(sock, text, sizeof text), stdout) ? 0 : 1;
}
"""


def programs() -> dict[str, str]:
    """The paths of the programs that are there, by name."""
    candidates = {
        "uv": shutil.which("uv") or str(REPOSITORY / ".dev/uv/bin/uv"),
        "npm": shutil.which("npm") or "",
        "go": "/usr/lib/go",
        "psql": (sorted(glob.glob("/usr/lib/postgresql/*/bin/psql")) or [""])[-1],
        "static": shutil.which("gcc") or "",
        **{name: shutil.which(name) or "" for name in ("curl", "git", "node", "redis-cli", "ssh")},
    }
    return {
        name: os.path.realpath(path) for name, path in candidates.items() if os.path.exists(path)
    }


def build(engine: str, folder: Path, secrets: Path) -> str:
    """The image's tag.

    :param secrets: the folder with the certificate that programs trust, and the keys of ssh
    """
    return rich_image.build(
        engine, folder, "sandboxd-clients:1", lambda root: _add(root, secrets)
    ).image


def _add(root: Path, secrets: Path) -> list[str]:

    there, option = programs(), root / "opt"
    option.mkdir()
    for name in ("ca.pem", "user", "known_hosts"):
        shutil.copy2(secrets / name, option / name)
        (option / name).chmod(0o644)  # ssh minds only the keys of its own user
    rich_image.add_pip(root)
    tiny_packages.write_npm_project(option / "project", f"https://{client_services.HOST}")
    dynamic = ["/usr/lib/git-core/git-remote-http"]
    shutil.copy2(os.path.realpath(dynamic[0]), root / "usr/lib/git-core/git-remote-http")
    (root / "usr/lib/git-core/git-remote-https").symlink_to("git-remote-http")
    for name in ("curl", "redis-cli", "ssh", "psql", "uv"):
        if name in there:
            shutil.copy2(there[name], root / "usr/bin" / name)
            dynamic.append(there[name])
    rich_image.add_npm(root)
    if "go" in there:
        _add_go(Path(there["go"]), option / "go")
    if "static" in there:
        words = ["gcc", "-static", "-w", "-x", "c", "-", "-o", str(option / "dial")]
        subprocess.run(words, input=_DIAL.encode(), check=True, capture_output=True)
    return [*dynamic, *name_services(root)]


def _add_go(source: Path, target: Path) -> None:
    """As much of Go as fetches modules."""
    (target / "bin").mkdir(parents=True)
    for name in ("src", "pkg/tool"):
        (target / name).mkdir(parents=True)
    for name in ("bin/go", "go.env", "VERSION"):
        shutil.copy2(source / name, target / name)


def name_services(root: Path) -> list[str]:
    """What the C library opens by name to look names up; with newer ones it is built in."""
    copied = []
    for path in Path("/usr/lib").glob("*-linux-gnu/libnss_dns.so.2"):
        target = root / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        copied.append(str(path))
    return copied
