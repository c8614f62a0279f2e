"""A honeytoken in an unattended sandbox, for programs that search for secrets: a host name and a token. Pure.

They are in one file that nothing else reads, and in no variable: honest programs print the environment, and an agent
would show it to its model. Both are derived from the project's path, so they stay the same.
"""

from __future__ import annotations

import hashlib
import zlib

from sandboxd.egress.policy import Policy
from sandboxd.plan.volumes import project_digest

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY, _CHECK = 30, 6


def name(workspace: str) -> str:
    """The decoy host name for `workspace`, below `.internal`, which nobody owns in public DNS."""
    return f"backup-{project_digest(workspace)}.internal"


def token(workspace: str) -> str:
    """The decoy token for `workspace`: in the form of GitHub's, with a wrong checksum.

    GitHub ends each token with the CRC-32 of what stands before it, so no real one is the same.
    """
    data = f"decoy\0{workspace}".encode("utf-8", "surrogateescape")
    body = _in_digits(int(hashlib.sha256(data).hexdigest(), 16), _BODY)
    return f"ghp_{body}{_in_digits(zlib.crc32(body.encode()) + 1, _CHECK)}"


def text(policy: Policy) -> str:
    """The text of the decoy file inside; '' for a sandbox without a decoy."""
    if not policy.decoys:
        return ""
    return f"https://backup:{policy.decoys[0]}@{policy.canaries[0]}/backup.git\n"


def _in_digits(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
