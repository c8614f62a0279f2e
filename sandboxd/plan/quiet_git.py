"""Git on the host as it is run on what a sandbox or a workspace made: nothing that a config, hook or attribute names runs."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Sequence

SECONDS = 120
"""The most seconds that git runs, and of a processor's time."""
_MOST_MEMORY = 16 << 30
"""Bytes of addresses: packs that are mapped count."""
_MOST_DATA = 2 << 30
"""Bytes of memory of its own: a delta of a few KiB can make an object of any size."""
_GRACE_SECONDS = 5
_BLOCK = 512
_SHELL = "/bin/sh"
_OFF = (
    ("core", "hooksPath", os.devnull),
    ("core", "fsmonitor", "false"),
    ("core", "attributesFile", os.devnull),
    ("core", "excludesFile", os.devnull),
    ("gc", "auto", "0"),
    ("maintenance", "auto", "false"),
    ("protocol", "allow", "never"),
)
CONFIG = "".join(f"[{section}]\n\t{key} = {value}\n" for section, key, value in _OFF)
"""What the config of a repository of ours begins with."""
OPTIONS = tuple(word for section, key, value in _OFF for word in ("-c", f"{section}.{key}={value}"))
"""The same as options, where git has to read the config of another repository."""
FSCK_ERRORS = ("hasDot", "hasDotdot", "hasDotgit", "fullPathname", "emptyName", "nullSha1",
               "zeroPaddedFilemode", "gitmodulesMissing")  # fmt: skip
"""Warnings of `git fsck` that an honest repository does not have and a trap may."""


def environ(home: str) -> dict[str, str]:
    """All variables that git gets, but for those that name its repository.

    :param home: a folder in which no config lies
    """
    return {
        "PATH": os.defpath,
        "HOME": home,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        # A config names the remote that git would fetch an object from which is not there, and how.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def alternate(folder: str) -> dict[str, str]:
    """The variable by which git reads the objects in `folder`, too; a path with a colon has to be quoted there."""
    quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"'}


def limited(git: Sequence[str], written: int) -> list[str]:
    """The command that runs `git` within limits from its first instruction on: a small pack can unpack to very many bytes.

    A shell sets them and becomes git. To set them between fork and exec in Python is unsafe in a process with threads:
    another one may hold a lock that the child waits for without end.

    :param git: the program and its words
    :param written: the bytes of each file, down to a block of 512
    """
    limits = (
        ("f", _most(resource.RLIMIT_FSIZE, written) // _BLOCK),
        ("v", _most(resource.RLIMIT_AS, _MOST_MEMORY) // 1024),
        ("d", _most(resource.RLIMIT_DATA, _MOST_DATA) // 1024),
        ("St", _most(resource.RLIMIT_CPU, SECONDS)),
        # Beyond the first, whose signal says why it ended: at this one it is killed.
        ("Ht", _most(resource.RLIMIT_CPU, SECONDS + _GRACE_SECONDS)),
    )
    steps = [f"ulimit -{letter} {most}" for letter, most in limits]
    return [_SHELL, "-c", " && ".join((*steps, 'exec "$@"')), "git", *git]


def _most(kind: int, wanted: int) -> int:
    """`wanted`, or less where this process may have no more itself."""
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def ended(code: int) -> str:
    """Why git ended with an exit code, where it wrote nothing about that."""
    return {
        -signal.SIGXCPU: f"it took more than {SECONDS} s of a processor",
        -signal.SIGXFSZ: "it would have written without end",
    }.get(code, f"exit code {code}")
