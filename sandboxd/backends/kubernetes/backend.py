"""The backend of a cluster.

Ports go through a command in the Pod, since Kubernetes' port-forward fails with gVisor.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.backend import (
    Attack,
    Collected,
    CommandRequest,
    Ended,
    Listed,
    Listing,
    LogRange,
    Running,
)
from sandboxd.backends.kubernetes import end as pod_end
from sandboxd.backends.kubernetes import logs as pod_logs
from sandboxd.backends.kubernetes import running as commands
from sandboxd.backends.kubernetes import state, work
from sandboxd.backends.kubernetes.abilities import CANNOT
from sandboxd.backends.kubernetes.attended import PodCommand
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.backends.kubernetes.target import Target, blaming_pod, running_pod
from sandboxd.backends.shell import SHELL
from sandboxd.engine.interruption import Step, counted
from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import cache_folder
from sandboxd.forward.trunk import Trunk, prepare
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.review import collect as saved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sandboxd.backends.backend import Ability, Comparison, Refusal
    from sandboxd.backends.kubernetes.api import Cluster
    from sandboxd.backends.kubernetes.state import Sandbox
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.plan.plan import Plan


class KubernetesBackend(NamedTuple):
    """The backend of a cluster's namespace, as a context of the user's kubeconfig names it."""

    cluster: Cluster
    environ: Mapping[str, str]
    cannot: Mapping[Ability, Refusal] = CANNOT

    @property
    def place(self) -> Mapping[str, str]:
        return self.cluster.context.place

    def list_sandboxes(self) -> Listing:
        context = self.cluster.context
        return Listing(
            tuple(_listed(each) for each in state.list_all(self.cluster, self.environ)),
            {"context": context.name, "namespace": context.namespace},
            f"in the namespace `{context.namespace}` of `{context.name}`",
        )

    def locate(self, project: str, name: str) -> Running:
        target = self._target(os.path.realpath(project), name)
        return Running(str(running_pod(target)["metadata"]["uid"]), target.sandbox)

    def run(
        self,
        running: Running,
        command: list[str],
        data: bytes,
        seconds: float,
        write: Callable[[int, bytes], None],
    ) -> int:
        pod = self._target_of(running).pod
        return commands.run(self.cluster, pod, command, data, seconds, write)

    def read(self, running: Running, command: Sequence[str]) -> str:
        _, output = commands.quietly(self.cluster, self._target_of(running).pod, command)
        return output

    def logs(
        self,
        project: str,
        name: str,
        service: str,  # noqa: ARG002
        wanted: LogRange,
        write: Callable[[int, bytes], None],
    ) -> None:
        pod = self._target(os.path.realpath(project), name).pod
        # The API server mixes both streams.
        pod_logs.show(self.cluster, pod, **wanted._asdict(), write=functools.partial(write, 1))

    def begin(
        self,
        project: str,
        name: str,
        request: CommandRequest,
        warn: Callable[[str], None] | None = None,
        follow: Callable[[str], str] = lambda _: "",
    ) -> PodCommand:
        target = Target(
            self.cluster, self.environ, request.directory, os.path.realpath(project), name
        )
        if warn is not None and (text := follow(target.sandbox)):
            warn(text)
        running_pod(target)
        return PodCommand(
            self.cluster,
            target.pod,
            request.words or SHELL,
            folder=request.working_dir or target.here,
            env=request.env,
            tty=request.tty,
            stdin=request.stdin,
            must_end_input=request.must_end_input,
        )

    def end(
        self,
        project: str,
        name: str,
        *,
        discard: bool,
        tell: Callable[[str], None],
        cancel: Cancel,  # noqa: ARG002
    ) -> Ended:
        # A signal interrupts it at once, and the Pod goes on.
        target = self._target(os.path.realpath(project), name)
        return Ended(target.sandbox, pod_end.end(target, discard=discard, say=tell))

    def collect(
        self,
        project: str,
        name: str,
        *,
        tell: Callable[[str], None],  # noqa: ARG002
        cancel: Cancel,  # noqa: ARG002
    ) -> Collected:
        target = self._target(os.path.realpath(project), name)
        try:
            return Collected(work.collected(target, stop_others=False).path, None)
        except PodGone:
            streams = saved.streams_of(target.sandbox)
            if not streams:
                raise
            return Collected(streams[0], saved.age(streams[0]))

    def attack(
        self,
        project: str,
        name: str,
        plan: Callable[[], Plan],  # noqa: ARG002
        progress: Progress,
        cancel: Cancel,
    ) -> Attack:
        # What attacks it is slow to import, and no other method needs it.
        from sandboxd.backends.kubernetes.attack import attack

        target = self._target(os.path.realpath(project), name)
        progress(Step("bringing the attempts into the Pod", is_passing=True))
        verdict, seconds = attack(target, counted(progress, cancel, "attempts"))
        return Attack(target.sandbox, verdict, seconds)

    def compare(
        self,
        project: str,
        name: str,
        plan: Callable[[str], Plan],  # noqa: ARG002
        cancel: Cancel,  # noqa: ARG002
    ) -> Comparison:
        from sandboxd.backends.kubernetes.compare import compare

        return compare(self._target(os.path.realpath(project), name))

    def blaming_end(self, running: Running) -> AbstractContextManager[None]:
        return blaming_pod(self._target_of(running), running.id)

    def open_trunk(self, running: Running) -> Trunk:
        target = self._target_of(running)
        try:
            inside = functools.partial(self.run, running)
            request, text = prepare(inside, cache_folder(self.environ))
        except TimeoutError:
            raise EnvironmentFailure(
                "the sandbox does not start a relay in time",
                f"look at what runs in it: `sandboxd exec{target.option} ps`",
            ) from None
        command = PodCommand(
            self.cluster,
            target.pod,
            request.command,
            folder="/",
            env=request.env,
            tty=False,
            stdin=True,
            must_end_input=False,
        )
        command.connection.sendall(text)
        return _PodTrunk(command)

    def service_address(self, running: Running, service: str) -> str:
        raise NotImplementedError("`cannot` says so")

    def _target_of(self, running: Running) -> Target:
        return self._target(workspace_of(running.sandbox), name_of(running.sandbox))

    def _target(self, workspace: str, name: str) -> Target:
        return Target(self.cluster, self.environ, workspace, workspace, name)


def _listed(sandbox: Sandbox) -> Listed:
    shown = {
        "name": sandbox.name,
        "state": sandbox.state if sandbox.is_ours else f"{sandbox.state} (another's)",
        "profile": sandbox.profile,
        "node": sandbox.node,
        "runtime_class": sandbox.runtime_class,
    }
    return Listed(sandbox._asdict(), shown)


class _PodTrunk(Trunk):
    """The connection to the relay in a Pod, which goes with the command."""

    def __init__(self, command: PodCommand) -> None:
        super().__init__(command.connection, b"")
        self._command = command

    def close(self) -> None:
        self._command.close()
