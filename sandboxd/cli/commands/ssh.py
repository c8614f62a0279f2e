"""Make an entry for ssh, so that any editor opens the project's sandbox: `ssh NAME.sandboxd`.

No port is opened: ssh enters by `exec` and the image's own `sshd`, which runs only while it is used. Both keys are made
for this sandbox and lie in your state folder; of your own keys and your agent nothing goes in. `down` takes the
entry away. What ssh forwards by `-L` works; `-R`, which would open this machine to the sandbox, does not.
"""

from __future__ import annotations

import os
import sys

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "an entry for ssh: any editor opens the sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    parser.add_argument(
        "--serve",
        action="store_true",
        help="connect standard input and output with the sandbox: what ssh runs",
    )
    parser.add_argument("--remove", action="store_true", help="take the entry away")


def run(args: argparse.Namespace) -> int:
    from sandboxd.model.sandbox_id import sandbox_id
    from sandboxd.operations import ssh

    directory, name = _sandbox.folder(args), _sandbox.name(args)
    folder = ssh.project_of(directory)
    sandbox = sandbox_id(os.path.realpath(folder), name)
    if args.serve:
        from sandboxd.cli import attend

        words = ssh.server(sandbox, os.environ)
        return attend.run(folder, words, tty=False, stdin=True, env=[], name=name)
    if args.remove:
        from sandboxd.forward import ssh_entries

        there = ssh_entries.forget(os.environ, sandbox)
        terminal.status("the entry is gone" if there else "there was no entry")
        return EXIT_OK
    entry = ssh.prepare(_sandbox.connect(), directory, os.environ, name, _command(folder, name))
    print(f"ssh -F {entry.config} {entry.host}")
    terminal.status(
        f"for editors, write this as the first line of ~/.ssh/config: `Include {entry.config}`; "
        f"then open the host `{entry.host}`"
    )
    return EXIT_OK


def _command(folder: str, name: str) -> list[str]:
    """The command for ssh; an editor may know nothing of the engine that this shell names."""
    engine = [f"{key}={os.environ[key]}" for key in _OF_ENGINE if os.environ.get(key)]
    words = [sys.executable, "-P", "-m", "sandboxd", "ssh", "--serve", "--project", folder]
    return [*(["env", *engine] if engine else []), *words, *(["--name", name] if name else [])]


_OF_ENGINE = (
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
)
