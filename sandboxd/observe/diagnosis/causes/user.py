"""What only root may do inside, tried by another user: to install packages, and to write folders of the system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, as_root, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# apt and dpkg (apt-pkg/deb/debsystem.cc), apk, dnf.
_ASKS_FOR_ROOT = re.compile(
    r"^E: Unable to .{0,200}are you root\?|Could not open lock file /var/lib/(?:apt|dpkg)/|requested operation requires superuser privilege"
    r"|Unable to lock database: Permission denied|has to be run with superuser privileges"
)
_SYSTEM_FOLDER = re.compile(
    r"(?:^|[ '‘`\"])(/(?:usr|etc|opt|var/lib|var/cache|root|lib|srv)/[^ '’`\":]*)['’`\"]?: Permission denied"
    r"|(?:Permission denied|EACCES: permission denied, \w+):? '(/(?:usr|etc|opt|var/lib|var/cache|root|lib|srv)/[^'`]*)'"
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where the program asks for root, or is refused in a folder of the system, and its user is another."""
    if sandbox.is_root:
        return
    decided_by = sandbox.decided_by("user")
    if find_line(failure, _ASKS_FOR_ROOT) is not None:
        because = "packages of the system are installed by root, and the command's user is another"
        yield Answer("non-root user", because, decided_by, as_root(failure), "", is_certain=True)
    elif hit := find_line(failure, _SYSTEM_FOLDER):
        because = f"`{hit[1] or hit[2]}` may belong to root, and the command's user is another"
        yield Answer("non-root user", because, decided_by, as_root(failure))
