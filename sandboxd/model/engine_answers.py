"""Types of the JSON that the engine API answers with and takes, as far as sandboxd uses it.

The engine's answers are not validated, so every field may be missing, and most may be null: fields that are not marked
as required are read by ``get``.
"""

from __future__ import annotations

from typing import Any, Required, TypedDict

Labels = dict[str, str]


class MountPoint(TypedDict, total=False):
    """A mount of a container, as the engine describes it."""

    Type: str
    Name: str
    Source: str
    Destination: Required[str]
    Driver: str
    Mode: str
    RW: bool
    Propagation: str


class MountRequest(TypedDict, total=False):
    """A mount in a request to create a container."""

    Type: Required[str]
    Source: str
    Target: Required[str]
    ReadOnly: bool
    BindOptions: dict[str, Any]
    VolumeOptions: dict[str, Any]
    TmpfsOptions: dict[str, Any]


class Ulimit(TypedDict):
    """A resource limit for each process of a container (ulimit)."""

    Name: str
    Soft: int
    Hard: int


class LogConfig(TypedDict, total=False):
    """The log driver for the output of a container's main process."""

    Type: str
    Config: dict[str, str] | None


class DeviceRequest(TypedDict, total=False):
    """Devices that a driver of the engine adds to a container, as ``--gpus`` asks for them."""

    Driver: str
    Count: int
    """The number of devices; -1 for all."""
    DeviceIDs: list[str] | None
    Capabilities: list[list[str]] | None


class HostConfig(TypedDict, total=False):
    """The `HostConfig` of a container, in a request to create it and in the engine's description of it.

    Sizes are in bytes; 0 or null means no limit.
    """

    Annotations: dict[str, str] | None
    AutoRemove: bool
    Binds: list[str] | None
    """``SOURCE:TARGET[:OPTIONS]``, as ``-v`` takes it."""
    CapAdd: list[str] | None
    CapDrop: list[str] | None
    DeviceRequests: list[DeviceRequest] | None
    Devices: list[dict[str, str]] | None
    Dns: list[str] | None
    DnsSearch: list[str] | None
    ExtraHosts: list[str] | None
    Init: bool | None
    IpcMode: str
    LogConfig: LogConfig | None
    Memory: int | None
    MemorySwap: int | None
    Mounts: list[MountRequest] | None
    NanoCpus: int | None
    """The limit of processor time, in billionths of a processor."""
    NetworkMode: str
    PidMode: str
    PidsLimit: int | None
    PortBindings: dict[str, list[dict[str, str]] | None] | None
    Privileged: bool
    ReadonlyRootfs: bool
    RestartPolicy: dict[str, str | int]
    Runtime: str
    SecurityOpt: list[str] | None
    ShmSize: int
    """Bytes."""
    StorageOpt: dict[str, str] | None
    Sysctls: dict[str, str] | None
    Tmpfs: dict[str, str] | None
    """Mount options by the path inside, as ``--tmpfs`` takes them."""
    UTSMode: str
    Ulimits: list[Ulimit] | None
    UsernsMode: str
    VolumesFrom: list[str] | None


class CreateRequest(TypedDict, total=False):
    """The body of ``POST /containers/create``."""

    Image: Required[str]
    Cmd: list[str]
    Entrypoint: list[str]
    """[] for none, whatever entry point the image has."""
    Env: list[str]
    """NAME=VALUE each."""
    Healthcheck: dict[str, list[str] | int]
    """`Test`, and times in nanoseconds; for missing fields the image's apply."""
    HostConfig: HostConfig
    Hostname: str
    Labels: Labels
    NetworkingConfig: dict[str, dict[str, dict[str, Any]]]
    OpenStdin: bool
    StdinOnce: bool
    StopSignal: str
    User: str
    """NAME, or UID[:GID]; '' for the user that the image sets."""
    WorkingDir: str


class HealthState(TypedDict, total=False):
    """The health of a container: `Status` is ``starting``, ``healthy``, ``unhealthy``, or ``none`` without a health
    check.
    """

    Status: str
    Log: list[dict[str, Any]] | None
    """The last checks, the newest at the end, each with `ExitCode` and `Output`."""


class State(TypedDict, total=False):
    """The state of a container; times are RFC 3339 text."""

    Status: str
    Running: bool
    Paused: bool
    OOMKilled: bool
    Pid: int
    ExitCode: int
    Error: str
    StartedAt: str
    FinishedAt: str
    Health: HealthState | None


class Config(TypedDict, total=False):
    """The main program of a container, and its environment."""

    Image: str
    User: str
    Env: list[str] | None
    Cmd: list[str] | None
    Entrypoint: list[str] | None
    Labels: Labels | None
    WorkingDir: str
    StopSignal: str
    Tty: bool
    OpenStdin: bool
    StdinOnce: bool


class NetworkSettings(TypedDict, total=False):
    """The networks that a container is in, by name."""

    Networks: dict[str, dict[str, Any]] | None


class Inspected(TypedDict, total=False):
    """The answer to ``GET /containers/ID/json``."""

    Id: Required[str]
    Name: Required[str]
    Created: str
    """When it was made, as RFC 3339 text."""
    Image: str
    """The id of the image."""
    Path: str
    Args: list[str] | None
    State: Required[State]
    Config: Required[Config]
    HostConfig: Required[HostConfig]
    NetworkSettings: NetworkSettings
    Mounts: list[MountPoint] | None


class Image(TypedDict, total=False):
    """The answer to ``GET /images/NAME/json``."""

    Id: Required[str]
    Config: Config | None


class ImageSummary(TypedDict, total=False):
    """One element of the answer to ``GET /images/json``."""

    Id: Required[str]
    RepoTags: list[str] | None
    Labels: Labels | None
    Created: int
    """Seconds since 1970."""
    Size: int


class Volume(TypedDict, total=False):
    """The answer to ``GET /volumes/NAME``."""

    Name: Required[str]
    Driver: str
    Mountpoint: str
    Labels: Labels | None
    Options: dict[str, str] | None


class PathStat(TypedDict, total=False):
    """The status of a path in a container; `mode` is Go's ``os.FileMode``, `mtime` RFC 3339 text."""

    name: str
    size: int
    mode: int
    mtime: str
    linkTarget: str


class Actor(TypedDict, total=False):
    """The object that an event is about."""

    ID: str
    Attributes: dict[str, str] | None


class Event(TypedDict, total=False):
    """One element of the stream ``GET /events``."""

    Type: str
    Action: str
    Actor: Actor | None
    time: int
