"""An image with the programs of daily work, made of this machine's own files: no registry needed.

What the machine does not have (a compiler, a debugger) is not in it; `programs` says what is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_PROGRAMS = """
bash sh env ls cat cp mv rm mkdir rmdir ln chmod chown touch stat id echo sleep true false head tail
sort wc uname readlink realpath dirname basename date dd du mktemp tee tr cut seq timeout find grep sed
tar gzip xargs ps kill diff sync git node python3 strace gdb gcc as ld apt-cache dpkg-query make
bwrap unshare
"""

_INSIDE = Path(__file__).parent / "inside"
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\ndev:x:1000:1000::/home/dev:/bin/bash\n",
    "etc/group": "root:x:0:\ndev:x:1000:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
_NODE_FILE = re.compile(rb"/usr/share/nodejs/[\w./@-]+\.js")
_LINE = re.compile(r"(?:=> |^\s*)(/\S+) \(0x")


def pip_wheel() -> Path:
    """The wheel of pip that this Python makes environments with; Debian's Python keeps it elsewhere."""
    import ensurepip

    bundled = Path(ensurepip.__file__).parent / "_bundled"
    (wheel,) = Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or bundled).glob("pip-*.whl")
    return wheel


def add_pip(root: Path) -> None:
    """pip as `/opt/pip.whl` of an image."""
    shutil.copy2(pip_wheel(), root / "opt/pip.whl")
    # Debian's pip reads it as it begins, whichever authorities it is told of later.
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    if authorities.exists():
        (root / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
        shutil.copy2(authorities, root / "etc/ssl/certs")


def add_npm(root: Path) -> None:
    """npm below `/opt/npm` of an image, where this machine has it."""
    program = shutil.which("npm")
    if program is None:
        return
    npm = Path(os.path.realpath(program)).parents[1]
    shutil.copytree(npm, root / "opt/npm", symlinks=True)
    if npm.parent.name == "nodejs":
        # What Debian's npm requires lies beside it, where Debian's node looks last.
        every = root / str(npm.parent).lstrip("/")
        shutil.copytree(npm.parent, every, symlinks=True, dirs_exist_ok=True)


class Rich(NamedTuple):
    """`image` is its tag, `programs` those that this machine had."""

    image: str
    programs: frozenset[str]


def build(
    docker_host: str,
    folder: Path,
    tag: str = "sandboxd-rich:1",
    more: Callable[[Path], list[str]] | None = None,
) -> Rich:
    """Make the image and import it into the engine; about three seconds.

    :param more: puts other things below the image's root, and says which programs need libraries
    """
    root = folder / "root"
    for name in (
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "etc",
        "tmp",
        "root",
        "home/dev",
        "proc",
        "sys",
    ):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "usr/sbin").symlink_to("bin")
    programs = {name: path for name in _PROGRAMS.split() if (path := _program(name))}
    copied = [_copy(path, root / "usr/bin" / name) for name, path in programs.items()]
    copied += _python(programs["python3"], root) + _git(root)
    copied += _compiler(root) if "gcc" in programs else []
    if "node" in programs:
        _node(programs["node"], root)
    _data(root)
    for name, text in _FILES.items():
        (root / name).write_text(text)
    copied += more(root) if more is not None else []
    for library in _libraries(copied):
        _copy(library, root / f"usr/{library.removeprefix('/usr/').lstrip('/')}")
    shutil.copytree(_INSIDE, root / "opt/inside")
    for name in ("home/dev", "tmp"):
        os.chown(root / name, 1000, 1000)
    (root / "tmp").chmod(0o1777)
    archive = folder / "rich.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(root, ".")
    subprocess.run(
        ["docker", "import", "-c", "ENV PATH=/usr/bin", "-c", 'CMD ["bash"]', str(archive), tag],
        env=os.environ | {"DOCKER_HOST": docker_host},
        check=True,
        capture_output=True,
    )
    archive.unlink()
    shutil.rmtree(root)
    return Rich(tag, frozenset(programs))


def _program(name: str) -> str | None:
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    return os.path.realpath(path) if path else None


def _copy(source: str, target: Path) -> str:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return source


def _tree(source: str, root: Path, *skip: str) -> None:
    if os.path.isdir(source):
        target = root / source.lstrip("/")
        ignore = shutil.ignore_patterns(*skip)
        shutil.copytree(source, target, symlinks=True, ignore=ignore, dirs_exist_ok=True)


def _python(interpreter: str, root: Path) -> list[str]:
    name = os.path.basename(interpreter)
    _tree(f"/usr/lib/{name}", root, "test", "config-*", "__pycache__", "idlelib", "tkinter")
    return [str(path) for path in Path(f"/usr/lib/{name}/lib-dynload").glob("*.so")]


def _git(root: Path) -> list[str]:
    for name in ("git", "git-upload-pack", "git-sh-setup"):
        source = f"/usr/lib/git-core/{name}"
        if os.path.exists(source):
            _copy(source, root / source.lstrip("/"))
    _tree("/usr/share/git-core", root)
    return ["/usr/lib/git-core/git"]


def _node(program: str, root: Path) -> None:
    """The parts of node's own library that Debian keeps in files beside the program."""
    for binary in (program, *(path for path in _libraries([program]) if "libnode" in path)):
        for name in set(_NODE_FILE.findall(Path(binary).read_bytes())):
            path = name.decode()
            if os.path.isfile(path):
                _copy(path, root / path.lstrip("/"))


def _compiler(root: Path) -> list[str]:
    """What gcc needs beside itself to make a program of C."""
    # Debian 13 has its programs below /usr/libexec and the rest below /usr/lib.
    programs = os.path.dirname(_answer("gcc", "-print-prog-name=cc1"))
    folder = os.path.dirname(_answer("gcc", "-print-libgcc-file-name"))
    _tree(f"{folder}/include", root)
    architecture = os.path.basename(os.path.dirname(folder))
    for name in ("", architecture, "linux", "asm-generic"):
        _headers(f"/usr/include/{name}", root)
    for name in ("asm", "bits", "gnu", "sys"):
        _tree(f"/usr/include/{architecture}/{name}", root)
    start = f"{os.path.dirname(os.path.dirname(os.path.dirname(folder)))}/{architecture}"
    wanted = [f"{folder}/{name}" for name in ("crtbegin.o", "crtbeginS.o", "crtend.o", "crtendS.o")]
    wanted += [f"{folder}/{name}" for name in ("libgcc.a", "libgcc_s.so")]
    for name in (
        "crt1.o",
        "crti.o",
        "crtn.o",
        "Scrt1.o",
        "libc_nonshared.a",
        "libc.so",
        "libc.so.6",
    ):
        wanted.append(f"{start}/{name}")
    wanted.append(f"{start}/libgcc_s.so.1")
    for path in wanted:
        if os.path.exists(path):
            _copy(path, root / path.lstrip("/"))
    inner = [f"{programs}/{name}" for name in ("cc1", "collect2")]
    return [_copy(path, root / path.lstrip("/")) for path in inner]


def _answer(*command: str) -> str:
    """The path that a command prints."""
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    return os.path.realpath(output.stdout.strip())


def _headers(folder: str, root: Path) -> None:
    for path in Path(folder).glob("*.h"):
        _copy(str(path), root / str(path).lstrip("/"))


def _data(root: Path) -> None:
    if os.path.exists("/var/lib/dpkg/status"):
        _copy("/var/lib/dpkg/status", root / "var/lib/dpkg/status")
        _tree("/usr/share/dpkg", root)
    for name in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "etc/apt"):
        (root / name).mkdir(parents=True, exist_ok=True)


def _libraries(programs: list[str]) -> list[str]:
    done = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False)
    return sorted({path for line in done.stdout.splitlines() for path in _LINE.findall(line)})
