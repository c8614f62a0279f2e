"""Programs that give themselves the rights of root: sudo, su, and others with the set-user-id bit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, as_root, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# sudo(8), which looks at the flag by prctl(2) PR_GET_NO_NEW_PRIVS.
_WORDS = re.compile(
    r'sudo: The "no new privileges" flag is set|sudo: effective uid is not 0, is .{0,200} on a file system with'
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where sudo says that it cannot become root, and the flag is set."""
    option = sandbox.container.option("no-new-privileges")
    if option is None or option.value.value == "false" or find_line(failure, _WORDS) is None:
        return
    words = failure.command[1:] if failure.command[:1] == ("sudo",) else ()
    yield Answer(
        "no-new-privileges",
        "no program inside can get more rights than it was started with",
        sandbox.decided_by("security_opt", "no-new-privileges"),
        as_root(failure._replace(command=words or ("COMMAND",))),
        "",
        is_certain=True,
    )
