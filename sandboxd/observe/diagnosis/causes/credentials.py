"""Logins that are not inside: secrets are added by the gateway, or not at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# git (credential.c), OpenSSH, gh, npm, the AWS CLI, Google's libraries.
_WORDS = re.compile(
    r"fatal: could not read (?:Username|Password) for|Permission denied \(publickey|npm (?:error|ERR!) code ENEEDAUTH"
    r"|To get started with GitHub CLI, please run|Unable to locate credentials|Could not load the default credentials"
    r"|Host key verification failed|Invalid API key|authentication_error"
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where a program has no login. A name that was denied is the better answer."""
    if sandbox.attempts:
        return
    if hit := find_line(failure, _WORDS):
        yield Answer(
            "credentials",
            f"your logins do not enter the sandbox: `{hit[0]}`",
            "sandboxd",
            "`sandboxd credentials add NAME`, and `[credentials] use` in sandboxd.toml",
            "the sandbox can use the service in your name, and never has the secret",
        )
