"""The flags of `docker run`: which take a value, their short names and their older spellings.

From docker/cli's `cli/command/container/opts.go` and `run.go`, flags of all releases together:
an engine that lacks one refuses to start, while a flag that we did not know would be taken for
the image's name or for another flag's value.
"""

from __future__ import annotations

BOOLEAN = frozenset(
    (
        "detach", "disable-content-trust", "help", "init", "interactive", "no-healthcheck",
        "oom-kill-disable", "privileged", "publish-all", "quiet", "read-only", "rm", "sig-proxy",
        "tty", "use-api-socket",
    )
)  # fmt: skip

WITH_VALUE = frozenset(
    (
        "add-host", "annotation", "attach", "blkio-weight", "blkio-weight-device", "cap-add",
        "cap-drop", "cgroup-parent", "cgroupns", "cidfile", "cpu-count", "cpu-percent",
        "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus",
        "cpuset-cpus", "cpuset-mems", "detach-keys", "device", "device-cgroup-rule",
        "device-read-bps", "device-read-iops", "device-write-bps", "device-write-iops", "dns",
        "dns-option", "dns-search", "domainname", "entrypoint", "env", "env-file", "expose",
        "gpus", "group-add", "health-cmd", "health-interval", "health-retries",
        "health-start-interval", "health-start-period", "health-timeout", "hostname",
        "io-maxbandwidth", "io-maxiops", "ip", "ip6", "ipc", "isolation", "kernel-memory",
        "label", "label-file", "link", "link-local-ip", "log-driver", "log-opt", "mac-address",
        "memory", "memory-reservation", "memory-swap", "memory-swappiness", "mount", "name",
        "network", "network-alias", "oom-score-adj", "pid", "pids-limit", "platform", "publish",
        "pull", "restart", "runtime", "security-opt", "shm-size", "stop-signal", "stop-timeout",
        "storage-opt", "sysctl", "tmpfs", "ulimit", "user", "userns", "uts", "volume",
        "volume-driver", "volumes-from", "workdir",
    )
)  # fmt: skip

SHORT = {
    "a": "attach", "c": "cpu-shares", "d": "detach", "e": "env", "h": "hostname",
    "i": "interactive", "l": "label", "m": "memory", "P": "publish-all", "p": "publish",
    "q": "quiet", "t": "tty", "u": "user", "v": "volume", "w": "workdir",
}  # fmt: skip

ALIASES = {"net": "network", "net-alias": "network-alias", "dns-opt": "dns-option"}

BOOLEANS = {
    "1": True, "t": True, "T": True, "TRUE": True, "true": True, "True": True,
    "0": False, "f": False, "F": False, "FALSE": False, "false": False, "False": False,
}  # fmt: skip
"""The spellings of Go's strconv.ParseBool."""
