"""The Python that runs inside: this process's interpreter, cut down to what our programs need.

The binary, its loader, the libraries they need and the modules that the programs import go into one
tar file, kept in the cache. Either it is unpacked on the host and bound read-only into a container of
ours (`payload.container`), or it is unpacked inside by the image's shell and `tar`, which may lie.
It is started through its own loader and loads nothing of the image.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
from importlib.util import MAGIC_NUMBER

from sandboxd.errors import EnvironmentFailure
from sandboxd.files import write_atomic

_LIST = (
    "import {modules}, encodings.utf_8, encodings.latin_1, encodings.ascii, encodings.idna\n"
    "for name, module in sorted(sys.modules.items()):\n"
    "    if getattr(module, '__file__', None): print(name, module.__file__, sep='\\t')\n"
)
_FOLDERS = '/tmp /var/tmp /run "$HOME" /dev/shm'  # noqa: S108 - inside, tried in this order

# The first folder that can be written and may hold programs; cleaned up whatever happens.
SCRIPT = f"""
for base in {_FOLDERS}; do
  home="$base/sandboxd-python-$1"
  (umask 077; mkdir "$home") 2>/dev/null || continue
  trap 'rm -rf "$home"' EXIT
  printf '#!/bin/sh\\nexit 0\\n' >"$home/test" && chmod 700 "$home/test"
  if "$home/test" 2>/dev/null; then
    tar -x -C "$home" -f - || exit 96
    PYTHONHOME="$home" PYTHONPATH="$home/modules" "$home/loader" \\
      --library-path "$home/libraries" "$home/python" -P -S -s -B "$home/program.py"
    exit $?
  fi
  rm -rf "$home"
done
exit 97
"""

# The same for what is to be started by another command: the folder's path is its output.
UNPACK = f"""
for base in {_FOLDERS}; do
  home="$base/sandboxd-python-$1"
  (umask 077; mkdir "$home") 2>/dev/null || continue
  printf '#!/bin/sh\\nexit 0\\n' >"$home/test" && chmod 700 "$home/test"
  if "$home/test" 2>/dev/null; then
    tar -x -C "$home" -f - >&2 || {{ rm -rf "$home"; exit 96; }}
    echo "$home"
    exit 0
  fi
  rm -rf "$home"
done
exit 97
"""
REASONS = {
    96: "its `tar` cannot unpack our interpreter",
    97: "no folder inside can be written and may hold programs",
    126: "it has no shell",
    127: "it has no shell",
}

# The loader looks for this file of the image whatever its arguments are. In our copy of the loader
# the name is replaced by one of the same length that no image can give a file: /proc is the kernel's.
_PRELOAD, _NO_PRELOAD = b"/etc/ld.so.preload\0", b"/proc/self/nothing\0"


def command(home: str, *arguments: str) -> list[str]:
    """The arguments that start our Python in `home` with `arguments`.

    Neither the working directory nor a folder of the image is on its module path.
    """
    loader = [f"{home}/loader", "--library-path", f"{home}/libraries"]
    return [*loader, f"{home}/python", "-P", "-S", "-s", "-B", *arguments]


def environment(home: str) -> list[str]:
    """The variables for `command`; those of the image that would change what is loaded are overridden.

    A locale of the image could make the C library load a character set's program of the image.
    """
    return [
        f"PYTHONHOME={home}",
        f"PYTHONPATH={home}/modules",
        "PYTHONUTF8=1",
        "PYTHONCOERCECLOCALE=0",
        "PYTHONPLATLIBDIR=lib",
        "PYTHONINSPECT=",
        "LC_ALL=C",
        "LD_PRELOAD=",
        "LD_AUDIT=",
        "LD_LIBRARY_PATH=",
        "GCONV_PATH=",
        "GLIBC_TUNABLES=",
    ]


def unpack(folder: str, modules: tuple[str, ...], cache_folder: str | None) -> None:
    """Put our Python into `folder` on the host, readable for whoever a container runs as.

    :raises EnvironmentFailure: this machine's Python cannot be copied
    """
    with tarfile.open(fileobj=io.BytesIO(_parts(modules, cache_folder))) as tar:
        tar.extractall(folder, filter="data")
    for place, _, files in os.walk(folder):
        for path in (place, *(os.path.join(place, name) for name in files)):
            os.chmod(path, 0o555)  # noqa: S103 - it holds no secret, and nobody writes it
    os.chmod(folder, 0o755)  # noqa: S103 - so that it can be removed


def archive(program: bytes, modules: tuple[str, ...], cache_folder: str | None) -> bytes:
    """A tar of the interpreter with `program` as ``program.py``.

    :param modules: what the program imports; what these need is found by importing them
    :param cache_folder: where it is cached, None for nowhere
    :raises EnvironmentFailure: this machine's Python cannot be copied
    """
    result = io.BytesIO()
    result.write(_parts(modules, cache_folder))
    result.seek(0)
    with tarfile.open(fileobj=result, mode="a") as tar:
        _add(tar, "program.py", program, 0o600)
    return result.getvalue()


def _parts(modules: tuple[str, ...], cache_folder: str | None) -> bytes:
    """A tar of the interpreter alone; parameters and errors are those of `archive`."""
    listing = _LIST.format(modules=", ".join(("sys", *modules)))
    return _build(listing) if cache_folder is None else _from_cache(listing, cache_folder)


def identity(more: str = "") -> str:
    """A short name of this interpreter's build and of `more`; it differs for another build."""
    binary = os.path.realpath(sys.executable)
    status = os.stat(binary)
    text = f"3 {binary} {sys.version} {status.st_size} {status.st_mtime_ns} {MAGIC_NUMBER!r} {more}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def compile_module(name: str, source: bytes) -> bytes:
    """The content of a module's file; the interpreter inside need not compile it.

    :param name: as a traceback shows it
    """
    import marshal

    # A pyc without flags that says "source of size 0 at time 0": it is never compared.
    code = compile(source, name, "exec", optimize=2)
    return MAGIC_NUMBER + b"\0" * 12 + marshal.dumps(code)


def _from_cache(listing: str, folder: str) -> bytes:
    """The archive from the cache, made where it is missing; if it cannot be cached, it is made each time."""
    path = os.path.join(folder, f"python-{identity(listing)}.tar")
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read()
    built = _build(listing)
    with contextlib.suppress(OSError, EnvironmentFailure):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        write_atomic(path, built, 0o600)
    return built


def _build(listing: str) -> bytes:
    binary = os.path.realpath(sys.executable)
    listing_output = _run([binary, "-I", "-S", "-c", listing])
    modules = [line.split("\t") for line in listing_output.splitlines()]
    extensions = [file for _, file in modules if file.endswith(".so")]
    loader, libraries = _closure([binary, *extensions])
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w") as tar:
        _add_file(tar, "python", binary)
        _add(tar, "loader", _without_preload(loader), 0o700)
        for library in libraries:
            _add_file(tar, f"libraries/{os.path.basename(library)}", library)
        for name, file in modules:
            _add_module(tar, name, file)
    return result.getvalue()


def _without_preload(loader: str) -> bytes:
    """The loader's program, changed so that it reads no list of libraries to preload from the image."""
    with open(loader, "rb") as file:
        return file.read().replace(_PRELOAD, _NO_PRELOAD)


def _add_module(tar: tarfile.TarFile, name: str, file: str) -> None:
    """Add a module under its import name; source is compiled here, which saves the time inside."""
    path = f"modules/{name.replace('.', '/')}"
    if file.endswith(".so"):
        _add_file(tar, f"{path}.so", file)
        return
    if os.path.basename(file).startswith("__init__."):
        path += "/__init__"
    with open(file, "rb") as source:
        _add(tar, f"{path}.pyc", compile_module(f"<{name}>", source.read()), 0o600)


def _closure(files: list[str]) -> tuple[str, list[str]]:
    """The loader, and all libraries that `files` need.

    :raises EnvironmentFailure: there is no loader: a static interpreter, or no `ldd`
    """
    libraries = set()
    loader = ""
    for line in _run(["ldd", *files]).splitlines():
        match = re.match(r"\s+(?:(\S+) => )?(/\S+) \(0x", line)
        if match is None:
            continue
        if match[1] is None or os.path.basename(match[2]).startswith("ld-"):
            loader = match[2]
        else:
            libraries.add(match[2])
    if not loader:
        raise EnvironmentFailure(
            f"the Python at `{sys.executable}` has no loader that could be sent along",
            "run sandboxd with the system's own Python, or use an image that has Python",
        )
    return loader, sorted(libraries)


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentFailure(
            f"cannot prepare an interpreter for the image: `{command[0]}` failed: {error}",
            "use an image that has Python 3.8 or later",
        ) from None


def _add_file(tar: tarfile.TarFile, name: str, path: str) -> None:
    with open(path, "rb") as file:
        _add(tar, name, file.read(), 0o700)


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))
