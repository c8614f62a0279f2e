"""Keys of Docker's `daemon.json`: those whose value is weak, and those that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Add, Finding, Remedy, Remove, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

WIDE_GROUPS = (
    *("users", "staff", "everyone", "nogroup", "nobody", "games", "adm", "www-data", "wheel"),
    *("sudo", "admin", "domain users"),
)
"""Groups whose members are no administrators of the engine."""

_NEEDS = (Field("values"),)


class WeakValue(NamedTuple):
    """A finding where `key` has one of `values`."""

    META: RuleMeta
    key: str
    values: tuple[str | bool, ...]
    message: str
    """`{value}` in it stands for the value."""
    remedy: str
    caution: str
    """What stops working with the remedy."""
    replacement: str = ""
    """What the remedy writes in the place of the value, as JSON; '' to remove the key."""

    def check(self, subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
        value = subject.values.get(self.key)
        # JSON tells `true` from 1, in Python they are equal.
        if value is None or not any(
            value.value == weak and type(value.value) is type(weak) for weak in self.values
        ):
            return
        text = str(value.value)
        change = Replace(value, self.replacement) if self.replacement else Remove(value)
        yield at_value(
            self.META,
            value,
            self.message.replace("{value}", text),
            text,
            remedies=(Remedy(self.remedy, safe=False, changes=(change,), caution=self.caution),),
        )


class MissingValue(NamedTuple):
    """A finding unless `key` has a value that is good enough."""

    META: RuleMeta
    key: str
    is_good: Callable[[object], bool]
    """Whether a value, None where there is none, is good enough."""
    message: str
    caution: str
    """What stops working with the remedy."""
    addition: str
    """The value that the remedy adds, as JSON."""

    def check(self, subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
        if self.is_good(subject.get(self.key)):
            return
        change = Add("", f'"{self.key}": {self.addition}')
        remedy = Remedy(f"add `{self.key}`", safe=False, changes=(change,), caution=self.caution)
        yield Finding(
            self.META.id,
            self.META.severity,
            self.message,
            subject.place,
            self.key,
            remedies=(remedy,),
            why=self.META.why,
        )


def _is_loopback(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("127.", "::1"))


ROWS = (
    WeakValue(
        RuleMeta(
            id="daemon-allow-direct-routing",
            summary="containers are reachable by their own addresses",
            severity=Severity.WARNING,
            since="0.1.0",
            why="ports that were never published are open to the local network",
            needs=_NEEDS,
        ),
        key="allow-direct-routing",
        values=(True,),
        message="`allow-direct-routing` lets neighbours reach ports that were not published",
        remedy="remove `allow-direct-routing`",
        caution="routes to containers stop working",
    ),
    WeakValue(
        RuleMeta(
            id="daemon-cgroupns-host",
            summary="containers see the host's control groups",
            severity=Severity.WARNING,
            since="0.1.0",
            why="the names of all containers and services are visible, and one write mount is an escape",
            needs=_NEEDS,
        ),
        key="default-cgroupns-mode",
        values=("host",),
        message="`host` shows the control groups of the whole machine to every container",
        remedy="set `default-cgroupns-mode` to `private`",
        caution="tools that read the host's control groups from inside see their own only",
        replacement='"private"',
    ),
    WeakValue(
        RuleMeta(
            id="daemon-group-wide",
            summary="a large group may command the engine",
            severity=Severity.ERROR,
            since="0.1.0",
            why="every member is root on this machine, and so is every program they run",
            needs=_NEEDS,
        ),
        key="group",
        values=WIDE_GROUPS,
        message="everybody in the group `{value}` is root through the engine's socket",
        remedy="use the group `docker`",
        caution="who is not in that group cannot use the engine",
        replacement='"docker"',
    ),
    WeakValue(
        RuleMeta(
            id="daemon-iptables-off",
            summary="the engine sets no firewall rules",
            severity=Severity.WARNING,
            since="0.1.0",
            why="nothing separates the networks of containers, and published ports lose their bounds",
            needs=_NEEDS,
        ),
        key="iptables",
        values=(False,),
        message="`iptables` is off: networks of containers are not separated",
        remedy="remove `iptables`",
        caution="docker adds its firewall rules again",
    ),
    WeakValue(
        RuleMeta(
            id="daemon-seccomp-unconfined",
            summary="the engine starts containers without a seccomp filter",
            severity=Severity.ERROR,
            since="0.1.0",
            why="system calls that escapes need are open in every container of this machine",
            needs=_NEEDS,
        ),
        key="seccomp-profile",
        values=("unconfined",),
        message="`unconfined` is the seccomp profile of every container that names none",
        remedy="use docker's own profile",
        caution="nested sandboxes and some profilers stop working",
    ),
    WeakValue(
        RuleMeta(
            id="daemon-selinux-off",
            summary="selinux is switched off for containers",
            severity=Severity.HINT,
            since="0.1.0",
            why="on hosts with SELinux it is what keeps a process that got out from the host's files",
            needs=_NEEDS,
        ),
        key="selinux-enabled",
        values=(False,),
        message="`selinux-enabled` is off: no labels hold containers on hosts with SELinux",
        remedy="set `selinux-enabled` to `true`",
        caution="mounts without a label (`:z`) cannot be read",
        replacement="true",
    ),
    MissingValue(
        RuleMeta(
            id="daemon-default-ip-public",
            summary="published ports are open to the network",
            severity=Severity.HINT,
            since="0.1.0",
            why="`-p 8080:80` is reachable from everywhere, past most firewalls",
        ),
        key="ip",
        is_good=_is_loopback,
        message="`ip` is not a loopback address: published ports are open to the network",
        caution="ports that others use have to be published with an address",
        addition='"127.0.0.1"',
    ),
    MissingValue(
        RuleMeta(
            id="daemon-icc-on",
            summary="containers of the default network reach each other",
            severity=Severity.HINT,
            since="0.1.0",
            why="a sandbox reaches databases and tools of other projects that were meant for the host only",
        ),
        key="icc",
        is_good=lambda value: value is False,
        message="`icc` is not off: containers of the default network reach each other",
        caution="containers that talk over the default network need one of their own",
        addition="false",
    ),
    MissingValue(
        RuleMeta(
            id="daemon-no-new-privileges-off",
            summary="setuid programs may raise privileges in every container",
            severity=Severity.HINT,
            since="0.1.0",
            why="a normal user inside becomes root through `sudo` or a setuid program with a bug",
        ),
        key="no-new-privileges",
        is_good=lambda value: value is True,
        message="`no-new-privileges` is not on: setuid programs raise privileges in containers",
        caution="`sudo` inside containers stops working",
        addition="true",
    ),
    MissingValue(
        RuleMeta(
            id="daemon-userns-remap-off",
            summary="root in a container is root on the host",
            severity=Severity.HINT,
            since="0.1.0",
            why="whoever gets out of a container as root is root",
        ),
        key="userns-remap",
        is_good=bool,
        message="`userns-remap` is not set: root inside is root outside",
        caution="existing images and containers are out of sight, and mounts change owners",
        addition='"default"',
    ),
)
