"""Which settings of devcontainer.json each of its clients honours, as measured.

Measured in November 2026 on Docker 26.1.5 with @devcontainers/cli 0.89.0 and devcontainer-rs 0.0.66. Of dvt-cli 0.5.0,
Zed and the Agent Host of Visual Studio Code the source was read. Both ways of Visual Studio Code start that CLI.
JetBrains was not tried: what nobody has measured or read is None, and never counts as honoured. docs/dev-containers.md
has the table for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    Answer = Literal["honoured", "dropped", "refused", "other"] | None


class Client(NamedTuple):
    name: str
    version: str
    """The version that was measured; '' if none was."""
    answers: Mapping[str, Answer]
    """What the client does with each setting: it ignores it silently (`dropped`), stops (`refused`), or does something
    else (`other`); None if unknown.
    """


SETTINGS = (
    "runArgs",
    "securityOpt",
    "capAdd",
    "mounts",
    "initializeCommand",
    "dockerComposeFile",
    "image label",
    "relative seccomp path",
    "readonly in a mount object",
    "readonly in a mount text",
    "runArgs beside Compose",
)
CLIENTS = (
    Client(
        "dev container CLI",
        "0.89.0",
        {
            "runArgs": "honoured",
            "securityOpt": "honoured",
            "capAdd": "honoured",
            "mounts": "honoured",
            "initializeCommand": "honoured",
            "dockerComposeFile": "honoured",
            "image label": "honoured",
            "relative seccomp path": "honoured",
            "readonly in a mount object": "dropped",
            "readonly in a mount text": "honoured",
            "runArgs beside Compose": "dropped",
        },
    ),
    Client(
        "devcontainer-rs",
        "0.0.66",
        {
            "runArgs": "honoured",
            "securityOpt": "honoured",
            "capAdd": "honoured",
            "mounts": "honoured",
            "initializeCommand": "honoured",
            "dockerComposeFile": "honoured",
            "image label": "dropped",
            "relative seccomp path": "other",
        },
    ),
    Client(
        "dvt-cli",
        "0.5.0 (read)",
        {"runArgs": "refused", "initializeCommand": "refused", "dockerComposeFile": "dropped"},
    ),
    # crates/dev_container of 2026-11: a mount keeps source, target and type alone, and nothing reads
    # the two fields that it has for security options and capabilities.
    Client(
        "Zed",
        "2026-11 (read)",
        {
            "runArgs": "honoured",
            "securityOpt": "dropped",
            "capAdd": "dropped",
            "mounts": "honoured",
            "initializeCommand": "honoured",
            "dockerComposeFile": "honoured",
            "readonly in a mount object": "dropped",
            "readonly in a mount text": "dropped",
        },
    ),
    Client("JetBrains", "", {}),
)


def answers(setting: str) -> dict[str, Answer]:
    """Client's name -> what it does with `setting`; None where that is not known."""
    return {client.name: client.answers.get(setting) for client in CLIENTS}


def not_honouring(setting: str) -> dict[str, Answer]:
    """The clients that are known not to honour the setting, each with what it does instead."""
    return {name: does for name, does in answers(setting).items() if does not in (None, "honoured")}
