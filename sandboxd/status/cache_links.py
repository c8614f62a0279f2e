"""Files of a workspace that package managers of the host linked to their caches: looked for at each status, since they come
with each install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model.control_name import ControlName
from sandboxd.observe.control import Control
from sandboxd.plan.outside_names import folders_with_outside_names, hidden_paths
from sandboxd.status.sockets import is_shared

if TYPE_CHECKING:
    from sandboxd.model.container import Container


def with_cache_links(
    controls: tuple[Control, ...], workspace: str, live: Container
) -> tuple[Control, ...]:
    """`controls`, and one that is not in force where programs inside can write into a cache of the user.

    :param live: the running container
    """
    if not is_shared(workspace, live):
        return controls
    mounts = [mount.value for mount in live.mounts]
    top = next(mount.target for mount in mounts if mount.source == workspace)
    hidden = hidden_paths(mounts, workspace, top)
    folders = [name for name in folders_with_outside_names(workspace) if name not in hidden]
    if not folders:
        return controls
    names = ", ".join(f"`{name}`" for name in folders)
    why = (
        f"{names}: files are hard links to a cache that other projects use, and can be written inside; `sandboxd down`, "
        "then `up` parts them, `UV_LINK_MODE=copy` (uv) or `package-import-method=copy` (pnpm) makes none"
    )
    return (*controls, Control(ControlName.CACHE_LINKS, "not in force", why))
