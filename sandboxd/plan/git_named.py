"""The paths of a workspace on which the host acts because a setting of git names them, such as a folder of hooks, or a
link in a folder on which it acts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from sandboxd.plan.git_control import git_control
from sandboxd.plan.git_environment import settings_of
from sandboxd.plan.git_user_configs import user_configs
from sandboxd.plan.links_in_pins import links_in
from sandboxd.policy.acts_on_host import weigh

WHY = "a setting of git or a link names it, and the host acts on what is there"

_MOST_LINKS = 40
"""The same limit as the kernel's."""


def named_by_git(workspace: str, environ: Mapping[str, str]) -> frozenset[str]:
    """The paths that settings of git and links name, relative to the workspace, and the links on the way to them.

    A path need not exist: git acts on what is there when it runs.

    :param workspace: an absolute path without links
    :param environ: the user's variables
    """
    control = git_control(
        workspace,
        user_configs(environ, workspace),
        environ.get("HOME", ""),
        settings_of(environ),
    )
    named = {*control.pins, *(each.path for each in (*control.exposed, *control.unread))}
    # What could not be read may be a hook outside of the workspace.
    named = {path for path in named if not os.path.isabs(path)}
    folders = (*control.pins, *_acting_folders(workspace))
    links = links_in(workspace, folders, control.pins, control.own)
    named.update(each.path for each in (*links.ends, *links.on_the_way))
    return frozenset(named.union(*(_links_to(workspace, path) for path in named)))


def _acting_folders(workspace: str) -> list[str]:
    """The folders at the top on which tools of the host act by their names."""
    try:
        names = os.listdir(workspace)
    except OSError:
        return []
    return [name for name in names if weigh(name)[0] == "control"]


def _links_to(workspace: str, path: str) -> Iterator[str]:
    """The links of the workspace that the kernel follows for `path`; also one that it does not reach the end of."""
    left, at = path.split("/"), ""
    for _ in range(_MOST_LINKS):
        while left:
            at = os.path.normpath(os.path.join(at, left.pop(0)))
            if at.startswith(".."):
                return
            try:
                target = os.readlink(os.path.join(workspace, at))
            except OSError:
                continue
            yield at
            inside = os.path.relpath(
                os.path.join(workspace, os.path.dirname(at), target), workspace
            )
            left, at = [*inside.split("/"), *left], ""
            break
        else:
            return
