"""The table of known escapes. Every number was compared with the original that `source` names.

What could not be checked there is not in it: an entry missing here says nothing of a version.
"""

from __future__ import annotations

from typing import NamedTuple


class Escape(NamedTuple):
    """A repaired hole through which a container reached its host.

    `fixed` holds the first repaired version of each branch; a branch that is older than all of
    them was never repaired. `since`: versions before it do not have the hole. `condition` says
    what else it takes; `system` is set where only one kind of computer has it.
    """

    component: str
    ids: tuple[str, ...]
    what: str
    fixed: tuple[str, ...]
    date: str
    source: str
    since: str = ""
    condition: str = ""
    system: str = ""


_RUNC = "github.com/opencontainers/runc CHANGELOG.md"
_RUNC_RELEASES = "github.com/opencontainers/runc/releases"
_CVE = "github.com/CVEProject/cvelistV5"

ESCAPES = (
    Escape(
        "runc",
        ("CVE-2026-119101",),
        "an image with crafted links makes `runc restore` mount any host folder writable",
        ("1.3.7", "1.4.4", "1.5.3", "1.6.0-rc.2"),
        "2026-11-12",
        f"{_RUNC_RELEASES}/tag/v1.5.3",
        condition="where containers are checkpointed and restored",
    ),
    Escape(
        "runc",
        ("CVE-2026-41579",),
        "an image whose /dev is a link has limited write access to the host's files",
        ("1.3.6", "1.4.3", "1.5.0-rc.3"),
        "2026-06-13",
        f"{_RUNC} 1.3.6",
    ),
    Escape(
        "runc",
        ("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"),
        "masked paths and the console can be exchanged while a container starts, which gives "
        "write access to the host's /proc",
        ("1.2.8", "1.3.3", "1.4.0-rc.3"),
        "2025-11-05",
        f"{_RUNC} 1.2.8",
    ),
    Escape(
        "runc",
        ("CVE-2024-21626",),
        "a leaked file descriptor lets a working directory or `exec` reach the host's files",
        ("1.1.12",),
        "2024-01-31",
        f"{_RUNC} 1.1.12",
    ),
    Escape(
        "containerd",
        ("CVE-2025-47290",),
        "unpacking a crafted image changes files of the host",
        ("2.1.1",),
        "2025-05-20",
        f"{_CVE} CVE-2025-47290",
        since="2.1.0",
    ),
    Escape(
        "containerd",
        ("CVE-2020-15257",),
        "root in a container can start processes with all rights through the shim's socket",
        ("1.3.9", "1.4.3"),
        "2020-12-01",
        f"{_CVE} CVE-2020-15257",
        condition="containers in the host's network",
    ),
    Escape(
        "engine",
        ("CVE-2026-31431",),
        'docker\'s own default seccomp profile allows AF_ALG sockets ("Copy Fail")',
        ("29.4.2",),
        "2026-05-01",
        "github.com/moby/moby/pull/52501 and github.com/docker/docs/pull/24960",
        condition="containers with docker's own profile; sandboxd's refuse them",
    ),
    Escape(
        "engine",
        ("CVE-2024-23651", "CVE-2024-23652", "CVE-2024-23653"),
        "building a hostile Dockerfile reads or deletes files of the host",
        ("25.0.2",),
        "2024-01-31",
        "github.com/moby/moby/releases/tag/v24.0.9 and v25.0.2",
        condition="while images are built",
    ),
    Escape(
        "docker-desktop",
        ("CVE-2026-5843",),
        "a container runs code on macOS through the model runner",
        ("4.71.0",),
        "2026-05-22",
        f"{_CVE} CVE-2026-5843",
        since="4.56.0",
        condition="where Docker Model Runner is enabled",
        system="Darwin",
    ),
    Escape(
        "docker-desktop",
        ("CVE-2026-6406",),
        "`--use-api-socket` gives a container the engine although Enhanced Container Isolation is on",
        ("4.59.0",),
        "2026-05-22",
        f"{_CVE} CVE-2026-6406",
        since="4.41.0",
        condition="where Enhanced Container Isolation was relied upon",
    ),
    Escape(
        "docker-desktop",
        ("CVE-2025-9074",),
        "any container reaches the engine at 192.168.65.7:2375",
        ("4.44.3",),
        "2025-08-20",
        f"{_CVE} CVE-2025-9074",
        since="4.25",
    ),
    Escape(
        "buildkit",
        ("GHSA-w26x-xg27-7qjc",),
        "a client of the build service sets extended attributes on files of the host",
        ("0.34.2",),
        "2026-11-03",
        "github.com/moby/buildkit/releases/tag/v0.34.2",
    ),
    Escape(
        "buildkit",
        ("CVE-2026-33747",),
        "a build's own frontend writes files outside of the build's folder",
        ("0.28.1",),
        "2026-03-27",
        f"{_CVE} CVE-2026-33747",
        condition="with a frontend that is not trusted (`# syntax=`)",
    ),
    Escape(
        "buildkit",
        ("CVE-2024-23651", "CVE-2024-23652", "CVE-2024-23653"),
        "building a hostile Dockerfile reads or deletes files of the host",
        ("0.12.5",),
        "2024-01-31",
        f"{_CVE} CVE-2024-23652",
    ),
    Escape(
        "kernel",
        ("CVE-2026-31431",),
        'AF_ALG sockets let any user change cached pages of files that can only be read ("Copy Fail")',
        ("5.10.254", "5.15.204", "6.1.170", "6.6.137", "6.12.85", "6.18.22", "6.19.12", "7.0"),
        "2026-04-22",
        f"{_CVE} CVE-2026-31431",
        since="4.14",
        condition="containers with docker's own older profile; sandboxd's and gVisor refuse AF_ALG",
    ),
    Escape(
        "runsc",
        ("CVE-2018-16359",),
        "programs could rename files of the host",
        ("20180823",),
        "2018-08-23",
        f"{_CVE} CVE-2018-16359",
    ),
)
