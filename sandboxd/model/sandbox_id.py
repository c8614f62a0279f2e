"""The identity of a sandbox: its workspace's path, and its name if several sandboxes work on one workspace.

It is one text, from which labels, names in an engine and file names are derived: `/home/ann/shop` is the unnamed
sandbox, `/home/ann/shop//login` the one named `login`. No real path has two slashes in a row.
"""

from __future__ import annotations

from sandboxd.errors import UsageError

_BORDER = "//"
_LONGEST = 32
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_CHARACTERS = _FIRST | {"-", "_", "."}


def sandbox_id(workspace: str, name: str) -> str:
    """The identity of the sandbox `name` of a workspace.

    :param workspace: its real path
    :param name: '' for the unnamed sandbox
    """
    return f"{workspace}{_BORDER}{name}" if name else workspace


def workspace_of(sandbox: str) -> str:
    """The absolute path of a sandbox's workspace.

    :param sandbox: the sandbox's identity
    """
    return sandbox.partition(_BORDER)[0]


def name_of(sandbox: str) -> str:
    """The name of a sandbox; '' for the unnamed one.

    :param sandbox: the sandbox's identity
    """
    return sandbox.partition(_BORDER)[2]


def of_name(name: str) -> str:
    """The sandbox as a noun in a sentence: `sandbox login`; `sandbox` for the unnamed one."""
    return f"sandbox {name}" if name else "sandbox"


def name_option(sandbox: str) -> str:
    """The option that selects a sandbox, to put behind a command: ` --name login`; '' for the unnamed one.

    :param sandbox: the sandbox's identity
    """
    return option_of(name_of(sandbox))


def option_of(name: str) -> str:
    """The same as `name_option`, by the name alone."""
    return f" --name {name}" if name else ""


def option_of_cluster(context: str) -> str:
    """The option that selects a cluster, to put behind a command and quoted for a shell: ` --on CONTEXT`; '' for
    none.
    """
    import shlex

    return f" --on {shlex.quote(context)}" if context else ""


def describe(sandbox: str) -> str:
    """The sandbox in a message: its workspace, and the option that selects it there.

    :param sandbox: the sandbox's identity
    """
    return f"{workspace_of(sandbox)}{name_option(sandbox)}"


def check_name(name: str) -> str:
    """Return `name` if it is a valid sandbox name, which becomes part of container names and paths; '' is valid.

    :raises UsageError: it is not valid
    """
    plain = name[:1] in _FIRST and len(name) <= _LONGEST and _CHARACTERS.issuperset(name)
    if name and not plain:
        raise UsageError(
            f"`{name}` is no name of a sandbox",
            f"use up to {_LONGEST} small letters, digits, `-`, `_` and `.`, a letter or digit first",
        )
    return name
