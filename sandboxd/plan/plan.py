"""The plan: a container, and the reason for every value in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.container import Container, Mount
from sandboxd.model.remote import NO_REMOTE, Remote
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.plan.hiding import NOTHING, Hiding
from sandboxd.plan.reasons import Addition, Downgrade, LeftOut, Reason

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
    from sandboxd.plan.synced import Synced


class Rooms(NamedTuple):
    """The sizes of a sandbox's copy of the workspace, of its home and of `/tmp`, in docker's spelling; '' for no limit."""

    copy: str = ""
    home: str = ""
    tmp: str = ""


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
    """Whether the chosen runtime is gVisor, as it was seen to be."""
    stubs: tuple[str, ...] = ()
    compose: ComposeProject | None = None
    """The Compose project of which the workspace is a service; None if it is none."""
    prepare: tuple[str, ...] = ()
    """A command that has to succeed inside, as the user, before the sandbox is ready; () for none."""
    brought: tuple[Addition, ...] = ()
    """What the image's label or Features add if another tool than `up` creates the container."""
    recipe: Recipe | None = None
    """The files and options by which `up` builds the image; None if the project names an image."""

    refuses_root: bool = False
    """Whether to refuse a start if the user turns out to be root."""

    egress: Policy | None = None
    """What the gateway lets through; None if the sandbox has no network, or an open one. It is not part of the
    container, since a running gateway accepts a new policy.
    """

    inner: InnerNetwork | None = None
    """The network to which files for other tools connect the container, where the gateway is; None if they use
    `container.network` instead, as those of Compose projects do.
    """

    services: tuple[Service, ...] = ()
    """The other services of the Compose project that `sandboxd up` starts; `egress` has their names."""

    proposals: tuple[Proposal, ...] = ()
    """Hosts that files of the project name and that `egress` does not let through."""

    credentials: tuple[Use, ...] = ()
    """The user's credentials that tools inside can use through the gateway; a plan has none of the secrets."""
    remote: Remote = NO_REMOTE
    """What the project's devcontainer.json asks of the running container, not yet limited by the profile."""

    runs_hooks: bool = False
    """Whether the profile runs lifecycle hooks."""

    hooks_refused: tuple[LeftOut, ...] = ()
    """Hooks that `sandboxd up` does not run. An editor that starts the generated file may run them."""

    repository: Mount | None = None
    """The mount of the repository of a linked work tree, which `sandboxd up` also copies; None if there is none."""

    own_git: OwnGit | None = None
    """The sandbox's own git directory, which has to exist before the container is created; None if it has none."""

    extra_folders: tuple[str, ...] = ()
    """The folders of this machine beside the workspace that are mounted read-only; absolute paths."""

    repository_name: str = ""
    """The name of the linked work tree in its repository; '' if it is none."""

    lasting: tuple[Lasting, ...] = ()
    """Volumes that `sandboxd up` mounts instead of tmpfs at the same paths."""

    git: tuple[tuple[str, str], ...] = ()
    """Git settings that `sandboxd up` passes to the container. No generated file has them, as they name the user."""

    name: str = ""
    """The sandbox's name; '' for the unnamed one."""

    time_limit: int = 0
    """Seconds after which the sandbox ends by itself; 0 for no limit."""

    rooms: Rooms = Rooms()
    """The sizes of the writable folders, which a cluster takes for its volumes."""

    synced: Synced | None = None
    """The copy of the workspace that `sandboxd up` keeps the same; None if the container mounts the folder itself, or
    works on a private copy.
    """

    subpath_mounts: bool = False
    """Whether generated files mount parts of the workspace as `plan.subpath_mounts` says."""

    hiding: Hiding = NOTHING
    """Which files of the workspace stay out of the sandbox that `sandboxd up` starts."""

    @property
    def sandbox(self) -> str:
        """The sandbox's identity (`model.sandbox_id`), by which everything that belongs to it is found."""
        return sandbox_id(self.workspace, self.name)

    def of_other_tools(self) -> Plan:
        """The plan as another tool than `sandboxd up` starts it from a generated file."""
        return self._replace(lasting=(), synced=None)

    @property
    def stubs_of_up(self) -> tuple[str, ...]:
        """The placeholders that have to exist in the workspace before `sandboxd up` creates the container."""
        return self.stubs if self.synced is None else ()

    def downgrades_of_up(self) -> tuple[Downgrade, ...]:
        """The downgrades that hold for a sandbox that `sandboxd up` starts."""
        return tuple(entry for entry in self.downgrades if not entry.of_other_tools)

    def image(self) -> str:
        """The image that `up` starts; '' if the project has none."""
        if self.recipe is not None:
            return self.recipe.tag
        return self.container.image.value if self.container.image is not None else ""
