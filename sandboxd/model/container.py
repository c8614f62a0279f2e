"""A normalised description of a container, in which each value has the place that it came from.

Every source is read into it (a devcontainer.json, docker arguments, `docker inspect`, our own plan), every rule reads
it and every writer writes it. Values use docker's own vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Place
from sandboxd.model.values import Value

if TYPE_CHECKING:
    from typing import Literal

    from sandboxd.model.feature import Feature
    from sandboxd.model.image_facts import ImageLabel

    MountType = Literal["bind", "volume", "tmpfs", "other"]


class Mount(NamedTuple):
    """A mount, in docker's terms.

    `source` is a host path (variables resolved where they are known, else kept as ``${...}``), a
    volume's name, or ''. `options` are the rest, e.g. ``bind-propagation=rshared``.
    """

    type: MountType
    source: str
    target: str
    read_only: bool = False
    options: tuple[str, ...] = ()


class SecurityOption(NamedTuple):
    """One `--security-opt` as name and value: ``("seccomp", "unconfined")``, ``("no-new-privileges", "true")``."""

    name: str
    value: str


class Device(NamedTuple):
    """A device passed in: host path, path inside, cgroup permissions."""

    source: str
    target: str
    permissions: str = "rwm"


class Pair(NamedTuple):
    """A named string: environment variable, annotation, label, ulimit, sysctl."""

    name: str
    value: str


class Build(NamedTuple):
    """How an image is built.

    `options` are those of `docker build` (``network``, ``ssh``, ``allow``, ``build-context``, ``cache-from``) by name;
    `context` is a host path or a URL.
    """

    context: Value[str] | None = None
    dockerfile: Value[str] | None = None
    target: Value[str] | None = None
    args: tuple[Value[Pair], ...] = ()
    options: tuple[Value[Pair], ...] = ()


class Hook(NamedTuple):
    """A command that Compose runs in a running container (`post_start`, `pre_stop`)."""

    command: str
    user: str = ""
    privileged: bool = False


class Unseen(NamedTuple):
    """A source that was not read and may set more than this description contains."""

    source: Literal["compose", "dockerfile", "features", "arguments"]
    reason: str
    hint: str = ""
    names: tuple[str, ...] = ()
    """For Features: their names as written; () for other sources."""


def unread_features(names: tuple[str, ...]) -> Unseen:
    """The Features `names` of a config, as a source that was not read."""
    listed = ", ".join(f"`{name}`" for name in names)
    return Unseen("features", f"what its Features add is not read: {listed}", names=names)


class Container(NamedTuple):
    """A container as the engine would be asked to create it; of several values for one thing the later takes effect.

    `place` is the place of findings about something that is missing. None and empty tuples mean "not set". Capabilities
    are upper-case without ``CAP_``; namespaces are docker's modes (``host``, ``none``, ``bridge``, ``container:x``, a
    network's name).
    """

    name: str
    place: Place | None
    image: Value[str] | None = None
    runtime: Value[str] | None = None
    privileged: Value[bool] | None = None
    user: Value[str] | None = None
    cap_add: tuple[Value[str], ...] = ()
    cap_drop: tuple[Value[str], ...] = ()
    security_opt: tuple[Value[SecurityOption], ...] = ()
    network: Value[str] | None = None
    pid: Value[str] | None = None
    ipc: Value[str] | None = None
    uts: Value[str] | None = None
    userns: Value[str] | None = None
    cgroupns: Value[str] | None = None
    mounts: tuple[Value[Mount], ...] = ()
    devices: tuple[Value[Device], ...] = ()
    read_only_rootfs: Value[bool] | None = None
    init: Value[bool] | None = None
    env: tuple[Value[Pair], ...] = ()
    annotations: tuple[Value[Pair], ...] = ()
    labels: tuple[Value[Pair], ...] = ()
    ports: tuple[Value[str], ...] = ()
    memory: Value[str] | None = None
    cpus: Value[str] | None = None
    pids_limit: Value[int] | None = None
    ulimits: tuple[Value[Pair], ...] = ()
    command: tuple[str, ...] = ()
    working_dir: Value[str] | None = None
    host_commands: tuple[Value[str], ...] = ()
    """Commands that run on the host before the container exists (`initializeCommand`)."""
    remote_user: Value[str] | None = None
    """The user of the editor's processes (`remoteUser`); None: the container's own user."""
    unseen: tuple[Unseen, ...] = ()
    workspace: str | None = None
    """The project's folder on the host; None if it is not known."""
    build: Value[Build] | None = None
    group_add: tuple[Value[str], ...] = ()
    device_cgroup_rules: tuple[Value[str], ...] = ()
    extra_hosts: tuple[Value[Pair], ...] = ()
    sysctls: tuple[Value[Pair], ...] = ()
    volumes_from: tuple[Value[str], ...] = ()
    cgroup_parent: Value[str] | None = None
    env_files: tuple[Value[str], ...] = ()
    """Host paths of files with environment variables; of Compose's readable files, `env` has the variables."""
    api_socket: Value[bool] | None = None
    """Whether it gets the engine's socket and the registry logins (`use_api_socket`)."""
    hooks: tuple[Value[Hook], ...] = ()
    provider: Value[str] | None = None
    """The program of the host to which Compose delegates this service."""
    sidecars: tuple[Container, ...] = ()
    """The other services that start with it."""
    remote_env: tuple[Value[Pair], ...] = ()
    """Variables that the editor's processes get in addition to `env` (`remoteEnv`)."""
    lifecycle: tuple[Value[str], ...] = ()
    """Commands that run inside after it started; the key of each is the name of its hook."""
    gpus: Value[str] | None = None
    publish_all: Value[bool] | None = None
    memory_swap: Value[str] | None = None
    shm_size: Value[str] | None = None
    oom_kill_disable: Value[bool] | None = None
    oom_score_adj: Value[int] | None = None
    restart: Value[str] | None = None
    log_driver: Value[str] | None = None
    log_options: tuple[Value[Pair], ...] = ()
    features: tuple[Value[Feature], ...] = ()
    """The Features that a devcontainer.json names. The settings of local ones, whose files can be read, are merged in.
    """
    missing_files: tuple[Value[str], ...] = ()
    """Seccomp profiles that are named but do not exist; () also if the disk could not be examined."""
    workspace_folder: Value[str] | None = None
    """The working directory of the dev container CLI's processes (`workspaceFolder`)."""
    watched: tuple[Value[Mount], ...] = ()
    """Host paths that `docker compose watch` copies into the container, as mounts with the targets."""
    base_image: Value[str] | None = None
    """The image whose label the dev container CLI merges in: that of `image`, or the one in the Dockerfile's `FROM`."""
    image_label: Value[ImageLabel] | None = None
    """The image's label ``devcontainer.metadata``, if an engine reported it."""
    image_user: Value[str] | None = None
    """The user that the image names, '' for root; ``non-root`` for any other, as the Pod refuses root; None if that is
    not known."""
    stop_signal: Value[str] | None = None
    entrypoints: tuple[Value[str], ...] = ()
    """Programs that Features and the image's label start with the container, before its command."""
    partial: bool = False
    """Whether only a part of the container is described here, so that missing settings mean nothing."""
    on_cluster: bool = False
    """Whether it is a container of a Pod, which does not run on this machine."""

    def option(self, name: str) -> Value[SecurityOption] | None:
        """The `--security-opt` of this name that takes effect: the last one, as in docker."""
        options = (option for option in reversed(self.security_opt) if option.value.name == name)
        return next(options, None)

    def label(self, name: str) -> str:
        """The value of a label; '' without it."""
        return next((v.value.value for v in self.labels if v.value.name == name), "")

    def is_privileged(self) -> bool:
        return self.privileged is not None and self.privileged.value

    def drops_all(self) -> bool:
        return any(cap.value == "ALL" for cap in self.cap_drop)

    def is_whole(self) -> bool:
        """Whether this file describes most of the container; if not, missing settings mean nothing."""
        return not self.partial and all(unseen.source != "compose" for unseen in self.unseen)

    def uses_gvisor(self) -> bool:
        """Whether the runtime's name is usual for gVisor; what it really is only the engine knows."""
        return self.runtime is not None and self.runtime.value.startswith("runsc")
