"""Flags of a gVisor runtime in Docker's `daemon.json` that take something from its isolation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

ON = ("true", "1", "t", "T", "TRUE", "True")
"""Spellings that Go reads as true."""

_NEEDS = (Field("runtimes"),)


class Flag(NamedTuple):
    """A finding for each gVisor runtime that sets one of `flags` to one of `values`."""

    META: RuleMeta
    flags: tuple[str, ...]
    effect: str
    """The predicate of the message: what a runtime with the flag does."""
    caution: str
    """What stops working without the flag."""
    values: tuple[str, ...] = ON
    severities: Mapping[str, Severity] = {}
    """Value of the flag -> severity, for values that are less bad than the rule's own severity."""

    def check(self, subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
        for flag in self.flags:
            for runtime in subject.gvisors():
                setting = runtime.flag(flag)
                if setting is None or setting[1] not in self.values:
                    continue
                arg, value = setting
                title = f"remove `{arg.written}`"
                remedy = Remedy(title, safe=False, changes=(Remove(arg),), caution=self.caution)
                yield at_value(
                    self.META,
                    arg,
                    f"`{arg.written}` of the runtime `{runtime.name.value}` {self.effect}",
                    f"{runtime.name.value} {flag}={value}",
                    self.severities.get(value),
                    remedies=(remedy,) if "=" in arg.written or value == "true" else (),
                )


ROWS = (
    Flag(
        RuleMeta(
            id="daemon-runsc-allow-rootfs-tar-annotation",
            summary="a gVisor runtime unpacks archives that containers name",
            severity=Severity.WARNING,
            since="0.1.0",
            why="an annotation names a file of the host that becomes the container's root",
            needs=_NEEDS,
        ),
        flags=("allow-rootfs-tar-annotation",),
        effect="opens files of the host that a container names",
        caution="containers that are restored from an archive stop starting",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-allow-suid",
            summary="a gVisor runtime honours setuid programs",
            severity=Severity.WARNING,
            since="0.1.0",
            why="a normal user inside becomes root with `sudo` or a setuid program that has a bug",
            needs=_NEEDS,
        ),
        flags=("allow-suid",),
        effect="honours the setuid bit",
        caution="`sudo` inside stops working",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-char-device",
            summary="a gVisor runtime passes devices through",
            severity=Severity.ERROR,
            since="0.1.0",
            why="drivers of the host's kernel are in reach of every container",
            needs=_NEEDS,
        ),
        flags=("character-device-policy",),
        effect="passes devices of the host through",
        caution="containers with `--device` lose it",
        values=("passthrough", "prefer-emulated"),
        severities={"prefer-emulated": Severity.WARNING},
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-debug",
            summary="a gVisor runtime logs what containers do",
            severity=Severity.WARNING,
            since="0.1.0",
            why="arguments, environment and data of every program stand in a file of the host",
            needs=_NEEDS,
        ),
        flags=("debug", "strace", "log-packets"),
        effect="writes down what containers do, secrets among it",
        caution="there is no log to look into",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-flag-override",
            summary="a gVisor runtime lets containers set its flags",
            severity=Severity.ERROR,
            since="0.1.0",
            why="an annotation in any config then switches off what this file switches on",
            needs=_NEEDS,
        ),
        flags=("allow-flag-override",),
        effect="lets any container choose the sandbox's flags",
        caution="containers that set flags by annotation stop starting",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-host-fifo",
            summary="a gVisor runtime lets containers open pipes of the host",
            severity=Severity.WARNING,
            since="0.1.0",
            why="a program of the host that reads from a named pipe then reads from the container",
            needs=_NEEDS,
        ),
        flags=("host-fifo",),
        effect="lets containers open named pipes of the host",
        caution="programs that talk through a mounted pipe stop working",
        values=("open",),
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-host-uds",
            summary="a gVisor runtime lets containers use sockets of the host",
            severity=Severity.ERROR,
            since="0.1.0",
            why="a mounted docker.sock, which gVisor keeps shut by default, hands over the host",
            needs=_NEEDS,
        ),
        flags=("host-uds",),
        effect="lets containers connect to sockets of the host",
        caution="containers that use a mounted socket stop working",
        values=("open", "create", "all"),
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-ignore-cgroups",
            summary="a gVisor runtime sets no limits",
            severity=Severity.WARNING,
            since="0.1.0",
            why="memory, CPU and process limits of containers are without effect",
            needs=_NEEDS,
        ),
        flags=("ignore-cgroups",),
        effect="ignores every limit of containers",
        caution="containers stop starting where control groups are not available",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-mounts-exclusive",
            summary="a gVisor runtime takes mounted folders for its own",
            severity=Severity.WARNING,
            since="0.1.0",
            why="files that are edited on the host show stale or torn content inside, and are overwritten",
            needs=_NEEDS,
        ),
        flags=("file-access-mounts",),
        effect="takes for granted that nobody else changes mounted files",
        caution="builds read mounted files more slowly",
        values=("exclusive",),
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-net-raw",
            summary="a gVisor runtime gives raw sockets",
            severity=Severity.WARNING,
            since="0.1.0",
            why="every container may forge packets on the network that it shares with others",
            needs=_NEEDS,
        ),
        flags=("net-raw",),
        effect="leaves the capability NET_RAW to containers",
        caution="`ping`, `tcpdump` and docker in docker stop working",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-network-host",
            summary="a gVisor runtime uses the host kernel's network stack",
            severity=Severity.HINT,
            since="0.1.0",
            why="packets are handled by the host's kernel, which gVisor otherwise keeps out of reach",
            needs=_NEEDS,
        ),
        flags=("network",),
        effect="uses the network stack of the host's kernel",
        caution="containers do not start on kernels that this gVisor does not know",
        values=("host",),
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-nvproxy-unsupported-driver",
            summary="a gVisor runtime forwards to a GPU driver that it does not know",
            severity=Severity.WARNING,
            since="0.1.0",
            why="commands whose meaning is not known are passed on to the host's driver",
            needs=_NEEDS,
        ),
        flags=("nvproxy-allow-unsupported-driver",),
        effect="forwards commands to a driver that it does not know",
        caution="containers with a GPU stop starting on other drivers",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-packet-write",
            summary="a gVisor runtime lets packet sockets write",
            severity=Severity.WARNING,
            since="0.1.0",
            why="frames of any content reach the network that containers share",
            needs=_NEEDS,
        ),
        flags=("allow-packet-socket-write",),
        effect="lets containers write whole frames",
        caution="docker in docker stops working",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-platform-ptrace",
            summary="a gVisor runtime uses the platform that is no longer kept up",
            severity=Severity.WARNING,
            since="0.1.0",
            why="it gets no fixes, and is several times slower",
            needs=_NEEDS,
        ),
        flags=("platform",),
        effect="uses a platform that is no longer supported",
        caution="nothing; newer versions refuse it",
        values=("ptrace",),
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-profile",
            summary="a gVisor runtime is open for profiling",
            severity=Severity.ERROR,
            since="0.1.0",
            why="the filter around gVisor's own kernel is loosened for a debugging aid",
            needs=_NEEDS,
        ),
        flags=("profile",),
        effect="loosens the filter around gVisor's own kernel",
        caution="gVisor can no longer be profiled",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-rootless",
            summary="a gVisor runtime runs without root",
            severity=Severity.WARNING,
            since="0.1.0",
            why="parts of the isolation need root and are left out without a word",
            needs=_NEEDS,
        ),
        flags=("rootless",),
        effect="leaves out what needs root",
        caution="nothing, where the engine runs as root",
    ),
    Flag(
        RuleMeta(
            id="daemon-runsc-testonly",
            summary="a gVisor runtime runs without its own isolation",
            severity=Severity.ERROR,
            since="0.1.0",
            why="the sandbox process keeps the rights of who started it: a bug in gVisor is a bug of the host",
            needs=_NEEDS,
        ),
        flags=("TESTONLY-unsafe-nonroot",),
        effect="leaves out the sandbox around gVisor's own kernel",
        caution="nothing but hosts on which gVisor could not start otherwise",
    ),
)
