"""Images whose programs and settings lie to whoever asks inside."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping

from sandboxd.verify import attempts

# Says that it is `verify`'s own program and that every attempt was stopped, as far as it is asked.
_HELD = json.dumps({"state": "stopped", "detail": "permission denied"})[1:-1]
_IDENTITY = '{"kind": "identity", "boot_id": "'
_NAMESPACES = ", ".join(
    f'"{name}": "{name}:[1]"' for name in ("mnt", "pid", "net", "user", "uts", "ipc", "cgroup")
)


def lying_shell() -> bytes:
    """A `sh` that answers `verify`'s script itself, and any other as busybox does."""
    lines = [
        "#!/bin/busybox ash",
        'if [ "$1" = -c ] && [ "${4#sandboxd-}" != "$4" ]; then',
        "  boot=$(/bin/busybox cat /proc/sys/kernel/random/boot_id)",
        f'  echo "$4 "\'{_IDENTITY}\'"$boot"\'", "namespaces": {{{_NAMESPACES}}}}}\'',
    ]
    for attempt in attempts.load():
        name = attempt.id.replace("-", "_")
        lines.append(f'  echo "$4 "\'{{"kind": "attempt", "name": "{name}", {_HELD}}}\'')
    lines += ['  echo "$4 "\'{"kind": "end"}\'', "  exit 0", "fi", 'exec /bin/busybox ash "$@"', ""]
    return "\n".join(lines).encode()


def status_shell(status: str, mounts: str = "") -> bytes:
    """A `sh` that shows whoever looks the `status` and the mounts that it would like to see."""
    boot = "b0073d00-0000-4000-8000-000000000000"
    shown = {
        "sys/kernel/random/boot_id": boot,
        "self/status": status,
        "self/mountinfo": mounts,
        "self/attr/current": "sandboxd (enforce)",
        "net/route": "Iface Destination",
        "self/uid_map": "0 100000 65536",
    }
    files = [f"==> /proc/{name} <==\n{content}\n" for name, content in shown.items()]
    text = "\n".join([*files, "-- processes --\n64\n"]).replace("\n", "\\n")
    return (
        "#!/bin/busybox ash\n"
        'case "$2" in *boot_id*) printf \'' + text + "'; exit 0 ;; esac\n"
        'exec /bin/busybox ash "$@"\n'
    ).encode()


def build(
    docker_host: str,
    tag: str,
    files: Mapping[str, bytes],
    changes: tuple[str, ...] = (),
    base: str = "sandboxd-busybox:1",
) -> str:
    """An image of `base` with `files` laid over it (programs), and Dockerfile lines `changes`."""
    docker = ["docker", "-H", docker_host]
    process = subprocess.run(
        [*docker, "create", base, "true"], check=True, capture_output=True, text=True
    ).stdout.strip()
    try:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(name.lstrip("/"))
                entry.size, entry.mode = len(content), 0o755
                tar.addfile(entry, io.BytesIO(content))
        subprocess.run(
            [*docker, "cp", "-", f"{process}:/"],
            input=data.getvalue(),
            check=True,
            capture_output=True,
        )
        options = [word for change in changes for word in ("--change", change)]
        subprocess.run([*docker, "commit", *options, process, tag], check=True, capture_output=True)
    finally:
        subprocess.run([*docker, "rm", "-f", process], check=True, capture_output=True)
    return tag
