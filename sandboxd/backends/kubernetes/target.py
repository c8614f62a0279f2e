"""A sandbox on a cluster, and whether its Pod runs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import api, records, waiting
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.errors import SandboxdError
from sandboxd.login import login_name
from sandboxd.model.sandbox_id import option_of, sandbox_id
from sandboxd.plan.cluster import object_name
from sandboxd.plan.mounts import folder_inside, target_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.backends.kubernetes.api import Cluster


class Target(NamedTuple):
    """A sandbox of a project on a cluster, whether or not it exists there. `workspace` is the project's real path,
    `name` '' for the unnamed one.
    """

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
        """The path of the workspace inside."""
        return target_folder(self.workspace)

    @property
    def here(self) -> str:
        """The folder inside that corresponds to `directory`; the workspace's, if `directory` is outside of it."""
        return folder_inside(self.directory, self.workspace)

    @property
    def option(self) -> str:
        """The command-line options that select this sandbox."""
        return f"{self.cluster.context.option}{option_of(self.name)}"


def running_pod(target: Target) -> dict[str, Any]:
    """The Pod of `target`, as the API server describes it, if it runs.

    :raises PodGone: it does not exist, has ended, or its start did not end
    """
    try:
        pod = waiting.require_running(target.cluster, target.pod)
    except PodGone as error:
        if lost := lost_words(target):
            raise PodGone(lost, error.hint) from None
        raise
    if is_cut_off(target, pod):
        raise PodGone(
            "the start of this sandbox goes on, or was cut off: the workspace in it is not whole",
            f"`sandboxd up{target.option}` makes it anew; `sandboxd down{target.option}` takes it away",
        )
    return pod


@contextlib.contextmanager
def blaming_pod(target: Target, uid: str) -> Iterator[None]:
    """Raise a failure in the block as what became of the Pod `uid`, if it does not run any more.

    Programs in a Pod that ends fail for reasons of their own, such as a folder that is gone.

    :raises PodGone: the Pod does not run, or is another one by now
    """
    try:
        yield
    except SandboxdError as error:
        try:
            pod = running_pod(target)
        except PodGone:
            raise
        except SandboxdError:
            raise error from None
        if pod["metadata"]["uid"] != uid:
            raise PodGone(
                f"the Pod `{target.pod}` was replaced by another one meanwhile", "run it again"
            ) from None
        raise


def is_cut_off(target: Target, pod: Mapping[str, Any]) -> bool:
    """Whether a start of this machine made the Pod of `target` and did not end, so that no work is in it."""
    uid = str(pod["metadata"].get("uid", ""))
    record = records.recall(target.environ, target.cluster.context, target.pod)
    return (
        (record is None or record.uid != uid)
        and records.is_cut_off(target.environ, target.cluster.context, target.pod, uid)
        and target.cluster.is_ours(pod)
    )


def lost_words(target: Target) -> str:
    """A message about a Pod that this machine started, that no longer exists, and that nobody stopped with `down`; ''
    if there is no such Pod.
    """
    if records.recall(target.environ, target.cluster.context, target.pod) is None:
        return ""
    if target.cluster.get(api.POD, target.pod) is not None:
        return ""
    return (
        f"the Pod `{target.pod}` is gone, and what was changed in it since the last `review` is lost: its node was "
        "drained or lost, or somebody deleted it"
    )
