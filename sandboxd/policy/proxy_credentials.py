"""The user's credentials for the company's proxy.

They are in a file of the user's config folder that nobody else can read, and are sent to the gateway over its control
channel. No plan, generated file or sandbox has them.
"""

from __future__ import annotations

import os
import stat

from sandboxd.errors import UsageError
from sandboxd.files import leads_below, reading

FILE_NAME = "proxy-credentials"

_LONGEST = 512


def read(folder: str, workspace: str) -> str:
    """The user's login for the proxy, ``user:password``; '' if there is none.

    :param folder: the folder of the user's own policy, `floor.user_folder`
    :param workspace: the project's folder, in which the file must not be
    :raises UsageError: the file can be read by others or by the sandbox, or is not a single line
    """
    return _read(os.path.join(folder, FILE_NAME), workspace)


def _read(path: str, workspace: str) -> str:
    """The one line of the file, '' without one."""
    try:
        # Not one that stands for another file, and none that a reader would wait for.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = reading(os.open(path, flags))
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise UsageError(
            f"cannot read the proxy's credentials in `{path}`: {(error.strerror or '').lower()}",
            "make it a plain file that you can read, or remove it",
        ) from None
    with file:
        status = os.fstat(file.fileno())
        data = file.read(_LONGEST + 2) if stat.S_ISREG(status.st_mode) else b"\n\n"
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise UsageError(
            f"the proxy's credentials in `{path}` can be read by others", f"`chmod 600 {path}`"
        )
    if leads_below(path, workspace):
        raise UsageError(
            f"the proxy's credentials in `{path}` lie in the workspace, where the sandbox reads them",
            "set XDG_CONFIG_HOME to a folder outside of it",
        )
    text = data.decode("utf-8", "replace").rstrip("\r\n")
    if ":" not in text or not text.isprintable() or "\ufffd" in text or len(text) > _LONGEST:
        raise UsageError(
            f"`{path}` is not one line of the form `user:password`",
            "write it so; `network_proxy` of the policy names the proxy itself",
        )
    return text
