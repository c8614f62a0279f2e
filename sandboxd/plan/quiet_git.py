"""Runs git on the host on data of a sandbox or workspace in such a way that no program which a config, hook or
attribute names runs.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Sequence

SECONDS = 120
"""The time limit for git, in seconds, both of processor time and in all."""
_MOST_MEMORY = 16 << 30
"""The limit of git's address space, in bytes; mapped pack files count."""
_MOST_DATA = 2 << 30
"""The limit of git's own memory, in bytes: a delta of a few KiB can describe an object of any size."""
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
"""The first lines of the config of each repository that sandboxd makes."""
OPTIONS = tuple(word for section, key, value in _OFF for word in ("-c", f"{section}.{key}={value}"))
"""The same settings as command-line options, for when git reads the config of another repository."""
FSCK_ERRORS = ("hasDot", "hasDotdot", "hasDotgit", "fullPathname", "emptyName", "nullSha1",
               "zeroPaddedFilemode", "gitmodulesMissing")  # fmt: skip
"""Warnings of `git fsck` that count as errors here: honest repositories do not cause them, but attacks may."""


def environ(home: str) -> dict[str, str]:
    """The complete environment for git, except for the variables that name its repository.

    :param home: a folder without a config
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
    """The variable that makes git also read the objects in `folder`; the path is quoted, since it may contain a
    colon.
    """
    quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"'}


def limited(git: Sequence[str], written: int) -> list[str]:
    """The command line that runs `git` with resource limits, since a small pack can unpack to very many bytes.

    A shell sets the limits and then becomes git. Setting them between fork and exec in Python is unsafe in a process
    with threads: another thread may hold a lock for which the child would wait forever.

    :param git: the program and its arguments
    :param written: the limit of each file that it writes, in bytes; rounded down to 512
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
    """The reason why git ended with an exit code, in words, if its output does not say."""
    return {
        -signal.SIGXCPU: f"it took more than {SECONDS} s of a processor",
        -signal.SIGXFSZ: "it would have written without end",
    }.get(code, f"exit code {code}")
