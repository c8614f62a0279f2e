"""The identity of a sandbox: its workspace, and its name where several work on one workspace side by side.

It is one text, so that labels, names on an engine and files of the user's state are made of it as of a
workspace alone: `/home/ann/shop` is the sandbox without a name, `/home/ann/shop//login` the one named `login`.
No real path has two slashes in a row.
"""

from __future__ import annotations

from sandboxd.errors import UsageError

_BORDER = "//"
_LONGEST = 32
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_CHARACTERS = _FIRST | {"-", "_", "."}


def sandbox_id(workspace: str, name: str) -> str:
    """The identity of the sandbox `name` of `workspace`, a real path.

    :param name: '' for the one without a name
    """
    return f"{workspace}{_BORDER}{name}" if name else workspace


def workspace_of(sandbox: str) -> str:
    """The workspace of a sandbox, absolute."""
    return sandbox.partition(_BORDER)[0]


def name_of(sandbox: str) -> str:
    """The name of a sandbox; '' for the one without."""
    return sandbox.partition(_BORDER)[2]


def of_name(name: str) -> str:
    """The sandbox of a name within a sentence: `sandbox login`; `sandbox` alone for the one without."""
    return f"sandbox {name}" if name else "sandbox"


def name_option(sandbox: str) -> str:
    """The further argument that makes a command mean this sandbox: ` --name login`; '' for the one without a name."""
    return option_of(name_of(sandbox))


def option_of(name: str) -> str:
    """The same as `name_option`, from the name alone."""
    return f" --name {name}" if name else ""


def option_of_cluster(context: str) -> str:
    """The further argument that makes a command mean a cluster, as a shell reads it: ` --on CONTEXT`; '' for none."""
    import shlex

    return f" --on {shlex.quote(context)}" if context else ""


def describe(sandbox: str) -> str:
    """The sandbox for people: its workspace, and the option that chooses it there."""
    return f"{workspace_of(sandbox)}{name_option(sandbox)}"


def check_name(name: str) -> str:
    """`name`, if it may be a part of a container's name and of paths; '' names the sandbox without a name.

    :raises UsageError: it may not
    """
    plain = name[:1] in _FIRST and len(name) <= _LONGEST and _CHARACTERS.issuperset(name)
    if name and not plain:
        raise UsageError(
            f"`{name}` is no name of a sandbox",
            f"use up to {_LONGEST} small letters, digits, `-`, `_` and `.`, a letter or digit first",
        )
    return name
