"""The steps of `setup gvisor` for this machine."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.setup import packages
from sandboxd.setup.engine_control import Control
from sandboxd.setup.files import FileStep
from sandboxd.setup.register import EngineConfig, KeepStep, RegisterStep, TrialStep
from sandboxd.setup.step import Step

SOURCES = ("present", "repository", "distribution", "binary")


class Options(NamedTuple):
    """The user's options. They are saved in the journal, so that the next run need not be given them."""

    source: str = ""
    """One of `SOURCES`; '' for an installed runsc, or gVisor's own repository if there is none."""
    daemon_json: str = "/etc/docker/daemon.json"
    host: str = "unix:///var/run/docker.sock"
    reload_command: tuple[str, ...] = ()
    restart_command: tuple[str, ...] = ()
    may_restart: bool = False
    wait_seconds: float = 30.0
    binary: str = ""
    checksum_file: str = ""
    folder: str = "/usr/local/bin"
    key_fingerprint: str = packages.KEY_FINGERPRINT
    key_url: str = packages.KEY_URL
    keyring: str = packages.KEYRING
    repository: str = packages.REPOSITORY
    """The URL of gVisor's repository, or of a mirror that is signed with the same key."""
    state: str = "/var/lib/sandboxd/setup/gvisor"
    nvproxy: bool = False
    """Whether our runtimes give access to NVIDIA's devices."""

    def as_json(self) -> dict[str, object]:
        return self._asdict()

    @classmethod
    def from_json(cls, data: dict[str, object]) -> Options:
        fields = {name: data[name] for name in cls._fields if name in data}
        for name in ("reload_command", "restart_command"):
            fields[name] = tuple(fields.get(name) or ())  # type: ignore[arg-type]
        return cls(**fields)  # type: ignore[arg-type]

    @property
    def place(self) -> EngineConfig:
        control = Control(
            self.host,
            self.reload_command,
            self.restart_command,
            self.may_restart,
            self.wait_seconds,
        )
        return EngineConfig(self.daemon_json, control)


def choose_source(options: Options) -> Options:
    """`options` with the source filled in and checked.

    :raises UsageError: the options contradict each other
    """
    if bool(options.binary) != bool(options.checksum_file):
        raise UsageError(
            "`--binary` and `--sha512` belong together",
            "name the file and its checksum's file, or `--from FILE` with `FILE.sha512` beside it",
        )
    source = options.source or ("binary" if options.binary else "")
    if not source:
        source = "present" if packages.find_runsc() else "repository"
    if source not in SOURCES:
        raise UsageError(f"there is no source `{source}`", f"choose one of {', '.join(SOURCES)}")
    if source == "present" and packages.find_runsc() is None:
        raise UsageError("runsc is not installed", "choose another `--source`")
    return options._replace(source=source)


def steps(options: Options) -> list[Step]:
    """The steps, in order. The source in `options` has to be chosen."""
    place = options.place
    install_steps: list[Step] = []
    runsc = packages.find_runsc() or "/usr/bin/runsc"
    if options.source == "repository":
        install_steps = [
            *repository_steps(options),
            packages.AptStep(repository=options.repository),
        ]
        runsc = "/usr/bin/runsc"
    elif options.source == "distribution":
        install_steps = [packages.AptStep()]
        runsc = "/usr/bin/runsc"
    elif options.source == "binary":
        binary = packages.BinaryStep(options.binary, options.checksum_file, options.folder)
        install_steps = [binary]
        runsc = binary.runsc
    install_steps.append(RegisterStep(place, runsc, options.state, nvproxy=options.nvproxy))
    return [KeepStep(place, options.state, install_steps), *install_steps, TrialStep(place)]


def repository_steps(options: Options) -> list[Step]:
    """The steps that make apt trust gVisor's repository and use it."""
    return [
        packages.KeyStep(options.key_fingerprint, options.key_url, options.keyring),
        FileStep(
            "repository",
            "add gVisor's repository to apt",
            packages.sources_file(),
            packages.sources_line(options.repository, options.keyring),
        ),
    ]


def printed_plan(facts: HostFacts) -> tuple[str, ...] | None:
    """The exact steps for a distribution on which the user has to do them; None if sandboxd does them itself."""
    name, manager = facts.distribution, facts.package_manager
    if manager in ("apt", None):
        return None
    archive = (
        "curl -fsSLO https://storage.googleapis.com/gvisor/releases/release/latest/$(uname -m)/gvisor.tar.bz2",
        "curl -fsSLO https://storage.googleapis.com/gvisor/releases/release/latest/$(uname -m)/gvisor.tar.bz2.sha512",
    )
    ours = "sudo sandboxd setup gvisor --apply --from gvisor.tar.bz2  # gvisor.tar.bz2.sha512 beside it"
    if manager == "dnf":
        return (
            "# there is no package of gVisor for this distribution: its own archive, checksum compared",
            *archive,
            ours,
            '# if `docker info` names SELinux: set "selinux-enabled": false first, gVisor has no labels',
        )
    if manager == "pacman":
        return ("# or gvisor-bin from the AUR; then `--source present`", *archive, ours)
    if manager == "zypper":
        return ("# no package of gVisor in the distribution: its own archive", *archive, ours)
    if manager == "nix" or name == "nixos":
        return (
            "# configuration.nix: files below /etc are made from it, so nothing is changed in place",
            "virtualisation.docker.daemon.settings.runtimes = {",
            '  runsc-sandboxd = { path = "${pkgs.gvisor}/bin/runsc"; runtimeArgs = [ "--directfs=false" ]; };',
            '  runsc-sandboxd-bind = { path = "${pkgs.gvisor}/bin/runsc"; runtimeArgs = [ ]; };',
            "};",
            "sudo nixos-rebuild switch",
            '# if `sandboxd doctor` says that its network does not start: add "--network=host" to both',
            "sandboxd doctor",
        )
    return (*archive, ours)
