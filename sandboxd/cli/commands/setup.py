"""Install what makes sandboxes stronger, as one command with a plan, a check and a way back.

`setup gvisor` installs runsc and registers one or two runtimes of our own with the engine, with the
arguments that trials on this machine showed to be needed: two only where read-only folders do not hold
without `--directfs=false`, as under runsc 20240729. `setup apparmor` loads our profiles where
the kernel has AppArmor. `--plan`, the default, only prints; `--apply` and `--rollback` need root; a
run that was interrupted is finished by the next `--apply`, or put back by `--rollback`.

Where runsc is not installed it comes from gVisor's own repository, whose key is compared with a fingerprint
that ships with sandboxd; `--source distribution` takes the distribution's package, and `--from FILE` a file
where there is no network. `--update` brings the newest build: sandboxes are attacked before and after, and
where less holds afterwards the build before comes back.
"""

from __future__ import annotations

import argparse

HELP = "install gVisor or load AppArmor profiles, reversibly"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("gvisor", "apparmor"), help="what to set up")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--plan", action="store_true", help="print every step (the default)")
    action.add_argument("--apply", action="store_true", help="do it")
    action.add_argument(
        "--update",
        action="store_true",
        help="bring the newest gVisor from its own repository, attacked before and after",
    )
    action.add_argument(
        "--verify", action="store_true", help="start containers and attack them from inside"
    )
    action.add_argument("--rollback", action="store_true", help="put everything back as it was")
    parser.add_argument(
        "--source", metavar="SOURCE", help="present, repository, distribution or binary"
    )
    parser.add_argument(
        "--from",
        dest="from_file",
        metavar="FILE",
        help="runsc or gvisor.tar.bz2, with its published checksum FILE.sha512 beside it",
    )
    parser.add_argument("--binary", metavar="FILE", help="runsc, or gVisor's gvisor.tar.bz2")
    parser.add_argument("--sha512", metavar="FILE", help="the checksum of --binary")
    parser.add_argument("--folder", metavar="DIR", help="where --binary goes (/usr/local/bin)")
    parser.add_argument(
        "--key-fingerprint", metavar="HEX", help="trust the repository's key with this fingerprint"
    )
    parser.add_argument("--key-url", metavar="URL", help="where the repository's key is")
    parser.add_argument(
        "--repository",
        metavar="URL",
        help="a mirror of gVisor's repository, signed by the same key",
    )
    parser.add_argument("--daemon-json", metavar="FILE", help="the engine's config")
    parser.add_argument("--socket", metavar="FILE", help="the engine's socket")
    parser.add_argument("--reload-command", metavar="COMMAND", help="how the engine reloads")
    parser.add_argument("--restart-command", metavar="COMMAND", help="how the engine restarts")
    parser.add_argument(
        "--restart", action="store_true", help="allow a restart that stops containers"
    )
    parser.add_argument(
        "--wait", metavar="SECONDS", type=float, help="how long the engine may take to come back"
    )
    parser.add_argument(
        "--nvproxy",
        action="store_true",
        help="have our runtimes pass NVIDIA's graphics processors on, where this machine has their driver",
    )
    parser.add_argument("--state", metavar="DIR", help="where the journal is kept")
    parser.add_argument("--image", metavar="IMAGE", help="the image to verify with")


def run(args: argparse.Namespace) -> int:
    from sandboxd.cli import setup_run

    return setup_run.run(args)
