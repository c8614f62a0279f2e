"""The names of what a plan may ask for and a sandbox may lack, as users read them: spelt here alone."""

from __future__ import annotations

from enum import StrEnum


class ControlName(StrEnum):
    """What was asked for and is not in force; `plan.reasons.Downgrade` has one with the reason."""

    AGENTS_PROGRAM = "agent's program"
    APPARMOR = "AppArmor"
    BUILD = "build"
    CACHE_LINKS = "links to caches"
    CAPABILITIES = "capabilities"
    CERTIFICATES = "certificates"
    COMPOSE_FILES = "Compose files"
    CONFIG = "config"
    CONTROL_FILES = "control files"
    CPU_LIMIT = "cpu limit"
    CREDENTIALS = "credentials"
    FEATURES = "features"
    FILES_INSIDE = "files inside"
    FILES_IN_MEMORY = "files in memory"
    GIT_IDENTITY = "git identity"
    GIT_INSIDE = "git inside"
    GIT_ON_THE_HOST = "git on the host"
    GIT_REPOSITORY = "git repository"
    GPU = "GPU"
    GVISOR = "gVisor"
    GVISOR_BUILD = "gVisor build"
    HIDDEN_FILES = "hidden files"
    ICMP = "ICMP"
    IMAGE_LABEL = "image label"
    LIFECYCLE_HOOKS = "lifecycle hooks"
    LIMITS = "limits"
    MEMORY_LIMIT = "memory limit"
    MOUNTS = "mounts"
    MOUNTS_BY_PATH = "mounts by path"
    NESTED_SANDBOX = "nested sandbox"
    NETWORK = "network"
    NETWORKS = "networks"
    NON_ROOT_USER = "non-root user"
    OTHER_SERVICES = "other services"
    PROCESS_LIMIT = "process limit"
    PROGRAMS_WITHOUT_A_PROXY = "programs without a proxy"
    RECORD = "record"
    RESULTS = "results"
    SECCOMP = "seccomp"
    SECCOMP_IN_GVISOR = "seccomp in gVisor"
    SERVICE = "service"
    SERVICES = "services"
    SERVICE_RIGHTS = "service rights"
    SYSTEM_CALLS = "system calls"
    TIME_LIMIT = "time limit"
    TRIPWIRE = "tripwire"
    USER = "user"
    VERSION_CONTROL = "version control"
    WEAK_SERVICE = "weak service"
    WORKSPACE = "workspace"
    WORKSPACE_SOCKETS = "workspace sockets"
    WRITABLE_ROOT_FILE_SYSTEM = "writable root file system"

    @property
    def is_of_machine(self) -> bool:
        """Whether its loss says something of this machine's engine or folder alone; a cluster has a word of its own."""
        return self in _OF_MACHINE


_OF_MACHINE = frozenset(
    {
        ControlName.APPARMOR,
        ControlName.CACHE_LINKS,
        ControlName.CAPABILITIES,
        ControlName.CONTROL_FILES,
        ControlName.CPU_LIMIT,
        ControlName.CREDENTIALS,
        ControlName.FILES_IN_MEMORY,
        ControlName.GIT_INSIDE,
        ControlName.GIT_ON_THE_HOST,
        ControlName.GIT_REPOSITORY,
        ControlName.GVISOR,
        ControlName.GVISOR_BUILD,
        ControlName.LIMITS,
        ControlName.NETWORK,
        ControlName.NETWORKS,
        ControlName.NON_ROOT_USER,
        ControlName.RESULTS,
        ControlName.SECCOMP,
        ControlName.TIME_LIMIT,
        ControlName.USER,
        ControlName.WORKSPACE_SOCKETS,
        ControlName.WRITABLE_ROOT_FILE_SYSTEM,
    }
)
