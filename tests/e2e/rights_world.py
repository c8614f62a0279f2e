"""A sandbox that was given a right of each kind, and the clients inside that use them.

Everything is real: the engine, the gateway, the daemon, an `ssh-agent` of the user with two keys, an sshd, a forge that
takes one token by HTTPS, and a company's proxy with a login as the only way out.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from sandboxd.engine.client import Engine, connect_from
from sandboxd.model.labels import PROJECT
from sandboxd.policy import trust
from sandboxd.verify import listeners
from tests.e2e import credential_services, outside, rich_image, sandboxes, tiny_packages
from tests.e2e.client_image import name_services
from tests.e2e.credential_services import FORGE, SECRET, Services
from tests.e2e.ssh_hosts import SshHost, UserAgent, make_key
from tests.integration.daemon.world import World
from tests.integration.egress.company import Company
from tests.patience import eventually

PAGE, ANSWERED, SSH_FORGE = "allowed.test", "later.test", "shell-forge.test"
NAMES = {PAGE, ANSWERED, SSH_FORGE, *credential_services.HOSTS}

PROXY_PORT, LOGIN = 3128, "me:pass word"
PROXY = f'network_proxy = "http://{outside.ADDRESS}:{PROXY_PORT}"\n'

_WORK = "/tmp/work"
_COMMIT = f"git init -q {_WORK} && git -C {_WORK} -c user.name=a -c user.email=a@b.test commit -q --allow-empty -m one"


class Reached(NamedTuple):
    """What the sandbox's rights are for, and who hands them out."""

    services: Services
    """Takes the token of the gateway."""
    shell: SshHost
    """Takes the key of the agent."""
    bare: Path
    """The repository that is pushed to by SSH."""
    agent: UserAgent
    keys: Path
    """The folder of the agent's keys, `chosen` and `unchosen`."""


@contextmanager
def reached(pid: int, folder: Path) -> Iterator[Reached]:
    """All of it, while the context is open.

    :param pid: a process in the network behind the engine
    """
    chosen = make_key(folder / "chosen")
    make_key(folder / "unchosen")
    tiny_packages.make_repository(folder / "shell/work", folder / "shell/team/repo.git")
    (folder / "https").mkdir()
    services = Services(pid, folder / "https")
    shell = SshHost(pid, folder / "sshd", 22, chosen)
    agent = UserAgent(folder, folder / "chosen", folder / "unchosen")
    try:
        with _proxy(pid):
            yield Reached(services, shell, folder / "shell/team/repo.git", agent, folder)
    finally:
        agent.close()
        shell.close()
        services.close()


@contextmanager
def _proxy(pid: int) -> Iterator[None]:
    """The company's proxy, which wants `LOGIN`, while the context is open."""

    def open_socket() -> socket.socket:
        with listeners.network_of(pid):
            return socket.socket()

    proxy, listener = Company(open_socket, outside.ADDRESS), open_socket()
    proxy.login = LOGIN
    listener.bind((outside.ADDRESS, PROXY_PORT))
    listener.listen()

    def use(client: socket.socket) -> None:
        with client, suppress(OSError):
            proxy.serve(client)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=use, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def build_image(engine: str, folder: Path) -> str:
    """An image with curl, ssh, and git that speaks HTTPS."""

    def more(root: Path) -> list[str]:
        programs = [path for name in ("curl", "ssh", "ssh-add") if (path := shutil.which(name))]
        for path in programs:
            shutil.copy2(path, root / "usr/bin")
        remote = os.path.realpath("/usr/lib/git-core/git-remote-http")
        shutil.copy2(remote, root / "usr/lib/git-core/git-remote-http")
        (root / "usr/lib/git-core/git-remote-https").symlink_to("git-remote-http")
        return [*programs, remote, *name_services(root)]

    return rich_image.build(engine, folder, "sandboxd-rights:1", more).image


class Sandbox:
    """A sandbox that runs with a right of each kind, by a daemon."""

    def __init__(self, world: World, project: Path, reached: Reached) -> None:
        self.world, self.project, self.reached = world, project, reached
        self.config = project / "sandboxd.toml"
        self.text = self.config.read_text() + (
            f'\n[network]\nmode = "allow"\nallow = ["{PAGE}:80", "{SSH_FORGE}:22"]\n'
            '\n[credentials]\nuse = ["github", "ssh"]\n'
        )
        self.folder = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.policy, self.login = self.folder / "policy.toml", self.folder / "proxy-credentials"
        world.environ["SSL_CERT_FILE"] = str(reached.services.authority)
        world.environ["FORGE_TOKEN"] = SECRET
        world.environ["SSH_AUTH_SOCK"] = reached.agent.socket
        (world.home / ".ssh").mkdir()
        known = f"{SSH_FORGE} {reached.shell.host_key}\n"
        (world.home / ".ssh/known_hosts").write_text(known)
        self._clients: subprocess.Popen[str] | None = None
        self.failed_at = math.inf
        """From when on each client that began failed, but those that were waited for, by the monotonic clock."""

    # -- what the user does

    def must(self, *words: str) -> str:
        done = self.world.run(*words, cwd=self.project)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout + done.stderr

    def give_everything(self) -> None:
        """All as at the first start, whatever was taken since."""
        self.write_policy("")
        self.write_login(LOGIN)
        self.config.write_text(self.text)
        self.world.start()
        keys = str(self.reached.keys / "chosen.pub")
        self.must("credentials", "add", "github", "--env", "FORGE_TOKEN")
        self.must("credentials", "add", "ssh", "--key", keys, "--host", SSH_FORGE)
        sandboxes.grant(self.project)
        self.must("up", "--allow-runc")
        self.must("egress", "allow", f"{ANSWERED}:80")

    def write_policy(self, demands: str) -> None:
        """Save policy.toml: `demands` beside the proxy of the company."""
        self.policy.unlink(missing_ok=True)
        self.policy.write_text(PROXY + demands)

    def write_login(self, text: str) -> None:
        self.login.write_text(f"{text}\n")
        self.login.chmod(0o600)

    def revoke_by_file(self) -> None:
        """As an editor of trust.toml does it, or a dotfiles tool."""
        path = self.folder / trust.FILE_NAME
        fresh = path.with_name("trust.toml.new")
        fresh.write_text("grants = []\n")
        fresh.chmod(0o600)
        fresh.rename(path)

    def end(self) -> None:
        """End the sandbox, and whatever looks into it."""
        self._end_clients()
        self.write_policy("")
        self.world.run("down", "--discard", cwd=self.project)

    # -- what is inside

    @property
    def api(self) -> Engine:
        return connect_from(self.world.environ)

    def look(self) -> dict[str, tuple[int, str]]:
        """What each client met inside, its exit code and its words.

        They are no command of ours, which would take back by itself.
        """
        for _ in range(2):
            clients = self._clients or self._start_clients()
            assert clients.stdin is not None and clients.stdout is not None
            with suppress(BrokenPipeError):
                clients.stdin.write("\n")
                clients.stdin.flush()
                if line := clients.stdout.readline():
                    return {name: (met[0], met[1]) for name, met in json.loads(line).items()}
            # Their container is gone; there may be another one.
            self._end_clients()
        return {}

    def _start_clients(self) -> subprocess.Popen[str]:
        words = json.dumps(self.clients())
        inside = f'export HOME=/tmp/home; mkdir -p $HOME; {_COMMIT}; exec python3 /opt/inside/rights_clients.py "$0"'
        (own,) = self.api.containers(f"{PROJECT}={self.project}")
        engine = self.world.environ["DOCKER_HOST"]
        self._clients = subprocess.Popen(
            ["docker", "-H", engine, "exec", "-i", own.id, "sh", "-c", inside, words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._clients

    def _end_clients(self) -> None:
        if self._clients is not None:
            self._clients.kill()
            self._clients.communicate()
            self._clients = None

    def clients(self) -> dict[str, str]:
        """A client of each right, in the words of a shell."""
        page = "curl -sf -m 20 http://{}/ | grep outside"
        ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o ConnectTimeout=20"
        push = f"git -C {_WORK} push"
        return {
            "page": page.format(PAGE),
            "answered": page.format(ANSWERED),
            "broker": f"{push} https://{FORGE}/team/repo.git +HEAD:refs/heads/by-broker",
            "keys": "ssh-add -l | grep -w chosen",
            # One login for all commands, which goes on in the background; it has to leave our streams.
            "login": f"{ssh} -o ControlMaster=auto -o ControlPath=/tmp/login -o ControlPersist=600 root@{SSH_FORGE} true"
            " >/dev/null 2>&1",
            "push": f"GIT_SSH_COMMAND='{ssh}' {push} ssh://root@{SSH_FORGE}{self.reached.bare}"
            " +HEAD:refs/heads/by-key",
        }

    def wait_for(self, expected: frozenset[str], what: str) -> None:
        """Wait until exactly the clients `expected` do their work, and go on to: several loops take back."""
        last: dict[str, tuple[int, str]] = {}

        def is_so() -> bool:
            asked = time.monotonic()
            last.clear()
            last.update(self.look())
            works = {name for name, (code, _) in last.items() if code == 0}
            if not works <= expected:
                self.failed_at = math.inf
            elif self.failed_at == math.inf:
                self.failed_at = asked
            return works == expected

        self.failed_at = math.inf
        eventually(
            lambda: is_so() and is_so(),
            lambda: f"{what}: {sorted(expected)} should work; met {last}",
        )
