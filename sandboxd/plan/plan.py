"""The plan: a container, and the reason for every value in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Place
from sandboxd.model.container import Container, Mount
from sandboxd.model.remote import NO_REMOTE, Remote
from sandboxd.model.sandbox_id import sandbox_id

if TYPE_CHECKING:
    from sandboxd.credentials.uses import Use
    from sandboxd.egress.policy import Policy
    from sandboxd.plan.compose import ComposeProject
    from sandboxd.plan.inner_network import InnerNetwork
    from sandboxd.plan.lasting import Lasting
    from sandboxd.plan.names import Proposal
    from sandboxd.plan.own_git import OwnGit
    from sandboxd.plan.recipe import Recipe
    from sandboxd.plan.service import Service


class Reason(NamedTuple):
    """The reason for a value of the plan.

    `field` is a field of `Container`, or ``egress`` for a name, ``credential`` for one of the user's; `item`
    the value in docker's spelling; `decided_by` one of ``profile dev``, ``config``, ``host``, ``floor``;
    `why` a sentence for a person.
    """

    field: str
    item: str
    decided_by: str
    why: str


class Downgrade(NamedTuple):
    """A control that was asked for and will not be in force. Shown wherever the plan is shown."""

    control: str
    why: str
    fix: str = ""
    of_other_tools: bool = False
    """It holds only where something else than `sandboxd up` starts the sandbox."""


class LeftOut(NamedTuple):
    """A part of a hand-written config that the sandbox does not get, in the user's spelling."""

    item: str
    why: str
    place: Place | None = None
    of_other_tools: bool = False
    """Only what something else than `sandboxd up` starts lacks it."""


class Plan(NamedTuple):
    """The sandbox for one project on one host.

    `container` is what to create for the project at `workspace` (an absolute host path). `seccomp_path` is
    the shipped profile's path on this host, '' for the engine's default; `control_files` are the workspace
    paths pinned read-only, relative to the workspace; `stubs` are those of them that are missing: empty
    folders that have to be made before the container is.
    """

    workspace: str
    profile: str
    container: Container
    reasons: tuple[Reason, ...]
    downgrades: tuple[Downgrade, ...]
    seccomp_path: str = ""
    control_files: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    gvisor: bool = False
    """Whether the chosen runtime was seen to be gVisor."""
    stubs: tuple[str, ...] = ()
    compose: ComposeProject | None = None
    """Set where the workspace's own config is a service of a Compose project."""
    prepare: tuple[str, ...] = ()
    """A command that has to succeed inside, as the user, before the sandbox is ready."""
    brought: tuple[str, ...] = ()
    """Additions of the image's label or Features, in words, where another tool makes the container."""
    recipe: Recipe | None = None
    """The recipe by which `up` builds the image; None where the project names one."""

    refuses_root: bool = False
    """Whether a user that turns out to be root is refused."""

    egress: Policy | None = None
    """What a gateway lets through; None where the sandbox has no network, or an open one.

    No part of a container: a gateway that runs takes a new policy.
    """

    inner: InnerNetwork | None = None
    """The network of `egress` that the files for other tools put the container on; None where they have
    `container.network` in its place, as those of Compose projects do."""

    services: tuple[Service, ...] = ()
    """The other services of the Compose project that `sandboxd up` starts; `egress` has their names."""

    proposals: tuple[Proposal, ...] = ()
    """Hosts that files of the project name and that `egress` does not let through."""

    credentials: tuple[Use, ...] = ()
    """The user's credentials that tools inside work with; what the secrets are, no plan knows."""
    remote: Remote = NO_REMOTE
    """The requests of the project's devcontainer.json for the running container, before the profile's say."""

    runs_hooks: bool = False
    """Whether the profile runs lifecycle hooks."""

    hooks_refused: tuple[LeftOut, ...] = ()
    """Hooks that `sandboxd up` does not run. An editor that starts the generated file may."""

    repository: Mount | None = None
    """The repository of a linked work tree, which `sandboxd up` mounts and copies, too."""

    own_git: OwnGit | None = None
    """The git directory of its own that is mounted, and has to be there before the container is."""

    repository_name: str = ""
    """The name of the work tree in its repository."""

    lasting: tuple[Lasting, ...] = ()
    """Volumes that `sandboxd up` mounts, in place of memory at the same paths."""

    git: tuple[tuple[str, str], ...] = ()
    """Settings of git that `sandboxd up` gives; no file of the project is to have the user's name."""

    name: str = ""
    """That of the sandbox, where several work on the workspace."""

    time_limit: int = 0
    """Seconds after which the sandbox ends by itself, 0 for never."""

    @property
    def sandbox(self) -> str:
        """The identity of the sandbox, by which it and what belongs to it are found again."""
        return sandbox_id(self.workspace, self.name)

    def downgrades_of_up(self) -> tuple[Downgrade, ...]:
        """The downgrades of a sandbox that `sandboxd up` starts: without those of other tools."""
        return tuple(entry for entry in self.downgrades if not entry.of_other_tools)

    def image(self) -> str:
        """The image that `up` starts; '' when there is none."""
        if self.recipe is not None:
            return self.recipe.tag
        return self.container.image.value if self.container.image is not None else ""
