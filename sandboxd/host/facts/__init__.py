"""The facts about a host as data. Pure: built from raw answers, so that a bug report can become a test.

`None` means unknown everywhere, and is never read as "no".
"""

from __future__ import annotations

from typing import NamedTuple


class Premise(NamedTuple):
    """A property of a gVisor build that plans rely on, as it was tried with this runtime: see
    `sandboxd.inside.escapes.premises`.
    """

    name: str
    holds: bool
    detail: str
    """The observation from which `holds` follows, for a person."""


NOT_YET = "`sandboxd doctor --try` tries them"
"""Why nothing is known of a build that was not tried, or whose failed trial is due again."""

WITHOUT_RULES = "this engine makes no firewall rules (`iptables: false`)"
WITHOUT_RULES_MEANS = (
    "its networks are not separated from each other, and what is sent outside is answered only where this machine has "
    "rules of its own for that"
)
WITH_RULES_AGAIN = 'take `"iptables": false` out of the engine\'s daemon.json and restart it'

PINS = ("folder_truncate", "folder_remount", "file_mode")
"""The names of the premises that have to hold for a plain read-only bind mount to be safe."""

MOUNT_POINTS = ("folder_move", "exec_filter")
"""The names of the premises of which one has to hold, so that no program can move a mount point away by its own
mounts."""


class Runtime(NamedTuple):
    """A runtime registered with the engine.

    `usable` tells whether a container could be started with it: False for a runtime that is registered but cannot
    start one, None for one that was never tried. `why` and `fix` explain False or None; '' for nothing. `gvisor` is
    True when that container's kernel identified itself as gVisor's; `version` is what the runtime's binary prints.
    """

    name: str
    path: str
    args: tuple[str, ...] = ()
    version: str | None = None
    usable: bool | None = None
    gvisor: bool | None = None
    why: str = ""
    fix: str = ""
    premises: tuple[Premise, ...] = ()
    """The premises that were tried with it; () where none were, for the reason in `premises_untried`."""
    premises_untried: str = ""
    nvproxy_drivers: tuple[str, ...] | None = None
    """The versions of NVIDIA's driver that this gVisor supports; None where it was not asked."""

    def holds(self, *names: str) -> bool:
        """Whether all of these premises were tried and hold."""
        held = {premise.name for premise in self.premises if premise.holds}
        return held.issuperset(names)

    def pins_hold(self) -> bool:
        """Whether a plain read-only bind mount is safe: as tried on this machine, or untried if `--directfs=false` is
        set.

        With that flag it was safe in every build that was tried (docs/decisions/0003, 0048).
        """
        if self.premises:
            return self.holds(*PINS)
        return self.directfs_off()

    def keeps_mount_points(self) -> bool:
        """Whether a program inside cannot move a read-only mount point away by mounts of its own.

        A seccomp filter on commands that `exec` starts prevents such mounts. Untried builds are judged as in
        `pins_hold`.
        """
        if self.premises:
            return any(map(self.holds, MOUNT_POINTS))
        return self.directfs_off()

    def flag(self, name: str) -> str | None:
        """The value of a runtime argument such as ``directfs``; '' for a flag without a value, None if it is absent."""
        last = None
        for arg in self.args:
            key, separator, value = arg.lstrip("-").partition("=")
            if key == name:
                last = value if separator else ""
        return last

    def directfs_off(self) -> bool:
        """Whether each file operation goes through gVisor's gofer process, which is three to four times slower."""
        return self.flag("directfs") == "false"


class Component(NamedTuple):
    """A component of the container stack and the version that it reports: ``runc``, ``1.1.15+ds1``."""

    name: str
    version: str


class Engine(NamedTuple):
    """The container engine that answered, or why none did (`error`, `hint`).

    With an error, everything else is what the engine said when it last answered, if it ever did.
    """

    host: str
    """The address at which it was looked for, a DOCKER_HOST value."""
    id: str | None = None
    kind: str | None = None
    """``docker``, ``docker-desktop``, ``colima``, ``lima``, ``orbstack``, ``rancher-desktop``,
    ``podman``; ``kubernetes`` stands for the nodes of a cluster."""
    version: str | None = None
    api_version: str | None = None
    os: str | None = None
    rootless: bool | None = None
    cgroup_version: str | None = None
    security_options: tuple[str, ...] = ()
    default_runtime: str | None = None
    runtimes: tuple[Runtime, ...] = ()
    error: str = ""
    hint: str = ""
    product: str | None = None
    """The vendor's name and version of the product: ``Docker Desktop 4.44.3 (202357)``."""
    kernel: str | None = None
    """The release of the kernel that containers share under runc; not this machine's where the engine is remote."""
    components: tuple[Component, ...] = ()
    live_restore: bool | None = None
    containers_running: int | None = None
    context: str | None = None
    """The name of the docker context that it comes from; None for DOCKER_HOST or the default socket."""
    tls: bool | None = None
    """Whether the connection is encrypted and both ends are authenticated; None for a local socket."""
    processors: int | None = None
    """The number of processors that containers can share."""
    cpu_quota: bool | None = None
    """Whether it can limit the processor time of a container."""
    memory_limit: bool | None = None
    """Whether it can limit a container's memory."""
    pids_limit: bool | None = None
    """Whether it can limit the number of a container's processes."""
    root_outside: tuple[int, int] | None = None
    """The user and the group that root inside is outside, by `userns-remap`; None where it maps no ids, or does not
    say to which."""
    firewall_rules: bool | None = None
    """Whether it makes firewall rules for its networks: not with `iptables: false` in its settings."""
    image_labels: tuple[tuple[str, str], ...] = ()
    """(image name, text of its label ``devcontainer.metadata``) of the images that have that label."""

    def image_label(self, image: str) -> str | None:
        """The label ``devcontainer.metadata`` of an image; None where the engine reported none."""
        labels = dict(self.image_labels)
        tagged = image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"
        return labels.get(tagged.removeprefix("docker.io/").removeprefix("library/"))

    @property
    def is_unfiltered(self) -> bool:
        """Whether its own seccomp filter, for containers that name none, is none."""
        return "name=seccomp,profile=unconfined" in self.security_options

    @property
    def is_cluster(self) -> bool:
        """Whether it stands for the nodes of a cluster."""
        return self.kind == "kubernetes"

    def runtime(self, name: str) -> Runtime | None:
        for runtime in self.runtimes:
            if runtime.name == name:
                return runtime
        return None


class Nvidia(NamedTuple):
    """NVIDIA's software on the machine whose kernel runs the containers; '' for what is not installed."""

    driver: str
    """The version of the kernel's driver: ``550.54.14``."""
    toolkit: str
    """The version of the Container Toolkit, by which an engine passes devices in."""


class HostFacts(NamedTuple):
    """The facts about one machine and its container engine."""

    system: str | None = None
    """``Linux``, ``Darwin``, ``Windows``."""
    kernel: str | None = None
    arch: str | None = None
    uid: int | None = None
    gid: int | None = None
    home: str | None = None
    wsl: bool | None = None
    apparmor: bool | None = None
    seccomp: bool | None = None
    cgroup_version: str | None = None
    engine: Engine | None = None
    distribution: str | None = None
    """``debian``, ``fedora``: the ID of os-release."""
    package_manager: str | None = None
    """``apt``, ``dnf``, ``pacman``, ``zypper``, ``nix``, ``brew``."""
    init: str | None = None
    """The name of the first process (PID 1): ``systemd``, ``openrc``, ``init``."""
    selinux: str | None = None
    """``enforcing``, ``permissive``, ``disabled``."""
    user_namespaces: bool | None = None
    """Whether an unprivileged user may create a user namespace."""
    kvm: bool | None = None
    hypervisor: str | None = None
    """The hypervisor that this machine runs in: ``kvm``, ``vmware``, ``microsoft``, ``apple``."""
    ci: str | None = None
    """``github``, ``gitlab``."""
    buildkit: str | None = None
    """The version of a BuildKit that is installed beside the engine; the engine does not tell that of its own."""
    release: str | None = None
    """The release of the distribution by its name: ``trixie``."""
    packages: tuple[Component, ...] = ()
    """Packages of the distribution that the engine on this machine runs: ``runc``, ``1.1.15+ds1-2``."""
    programs: tuple[Component, ...] = ()
    """Clients on this machine: ``vscode``, ``devcontainer-cli``."""
    cuse: bool | None = None
    """Whether the kernel that runs the containers offers CUSE, character devices in user space."""
    nvidia: Nvidia | None = None
    """None where the engine runs on another machine, or this was not looked for."""
    apparmor_profiles: tuple[str, ...] | None = None
    """sandboxd's AppArmor profiles that the engine's kernel has loaded in enforce mode; None if that is not known."""

    @property
    def answered(self) -> bool:
        """Whether an engine answered and described itself; else nothing is known of its controls."""
        return self.engine is not None and not self.engine.error

    @property
    def has_untried_build(self) -> bool:
        """Whether a gVisor runtime starts containers but its premises were never tried."""
        runtimes = self.engine.runtimes if self.answered and self.engine is not None else ()
        return any(runtime.premises_untried == NOT_YET for runtime in runtimes)

    def usable_gvisor(self) -> Runtime | None:
        """The best gVisor runtime with which a container could be started (see `_rank`); None without one."""
        return self.proven_gvisor() if self.answered else None

    def proven_gvisor(self) -> Runtime | None:
        """The gVisor runtime that was seen to work, even if the engine does not answer now; None without one."""
        if self.engine is None:
            return None
        proven = [r for r in self.engine.runtimes if r.usable and r.gvisor]
        return min(proven, key=_rank, default=None)


def _rank(runtime: Runtime) -> tuple[bool, int, bool, bool, str]:
    """The sort key of gVisor runtimes, the best first.

    One whose read-only binds hold, then the one with most other premises held, then the fastest; of equal
    ones the one that `setup gvisor` registered.
    """
    held = sum(premise.holds for premise in runtime.premises)
    is_ours = runtime.name.startswith("runsc-sandboxd")
    return (not runtime.pins_hold(), -held, runtime.directfs_off(), not is_ours, runtime.name)


UNKNOWN = HostFacts()
