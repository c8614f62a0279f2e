"""The sandbox that a command means, on a cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.cluster import api, records, waiting
from sandboxd.cluster.channels import PodGone
from sandboxd.host.login import login_name
from sandboxd.model.sandbox_id import option_of, sandbox_id
from sandboxd.operations._folder import project_folder
from sandboxd.plan.cluster import object_name
from sandboxd.plan.mounts import target_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.cluster.api import Cluster


class Target(NamedTuple):
    """A sandbox of a project, by the names that it has on its cluster; it need not be there."""

    cluster: Cluster
    environ: Mapping[str, str]
    directory: str
    """The working directory of the caller."""
    workspace: str
    name: str

    @property
    def sandbox(self) -> str:
        """The identity of the sandbox."""
        return sandbox_id(self.workspace, self.name)

    @property
    def pod(self) -> str:
        return object_name(self.sandbox, login_name())

    @property
    def folder(self) -> str:
        """The folder of the workspace inside."""
        return target_folder(self.workspace)

    @property
    def here(self) -> str:
        """The folder inside that stands for the one that the caller is in."""
        below = os.path.relpath(os.path.realpath(self.directory), self.workspace)
        return (
            self.folder
            if below == "." or below.startswith("..")
            else os.path.join(self.folder, below)
        )

    @property
    def option(self) -> str:
        """The options by which a command means this sandbox."""
        return f"{self.cluster.context.option}{option_of(self.name)}"


def running_pod(target: Target) -> dict[str, Any]:
    """The Pod of `target`, which runs.

    :raises PodGone: it is not there, or ended
    """
    try:
        return waiting.require_running(target.cluster, target.pod)
    except PodGone as error:
        if lost := lost_words(target):
            raise PodGone(lost, error.hint) from None
        raise


def lost_words(target: Target) -> str:
    """The message about a Pod that this machine started and did not remove, and that is gone; '' for none such."""
    if records.recall(target.environ, target.cluster.context, target.pod) is None:
        return ""
    if target.cluster.get(api.POD, target.pod) is not None:
        return ""
    return (
        f"the Pod `{target.pod}` is gone, and what was changed in it since the last `review` is lost: its node was "
        "drained or lost, or somebody deleted it"
    )


def target(on: str, directory: str, name: str, environ: Mapping[str, str]) -> Target:
    """The sandbox `name` of the project that `directory` lies in, on the cluster of the context `on`.

    :raises SandboxdError: there is no such context, or no folder
    """
    workspace = os.path.realpath(project_folder(directory))
    return Target(api.connect(on, environ), environ, directory, workspace, name)
