"""Everything that `verify` places on the host as bait for the attempts, and how it finds damage afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import stat
import tempfile
from typing import TYPE_CHECKING, Any

from sandboxd.folders import state_folder
from sandboxd.model.labels import DECOY_FILE
from sandboxd.model.paths import lies_in
from sandboxd.observe import surroundings
from sandboxd.observe.workspace import CONTROL_FILES, CONTROL_FOLDERS, View
from sandboxd.plan.git_objects import is_objects
from sandboxd.verify import listeners
from sandboxd.verify.judge import Host
from sandboxd.verify.scratch import PREFIX, ScratchFolder, take_away

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PIN_ATTEMPTS = (
    "pin-truncate",
    "pin-truncate-reading",
    "pin-write",
    "pin-remount",
    "pin-unmount",
    "pin-replace",
    "pin-link",
    "pin-uncover",
)
MOVE_ATTEMPTS = ("pin-parent-rename", "pin-pivot")
_COMMONDIR = ".git/commondir"
_READ_ATTEMPTS = ("credential-files", "secret-mount")
_KEEP = ("keep",)


class Canaries:
    """The bait on the host, created on entry of the context and removed on exit.

    `facts` are values for the attempts inside; `host` has those that stay outside. `missing` has, by attempt, the
    reason why it cannot be judged. `readable` are targets of mounts that programs inside may read.
    """

    def __init__(
        self,
        view: View,
        engine_host: str,
        engine_id: str,
        gateways: Sequence[str],
        control: Iterable[str] = (),
        declared: Iterable[str] = (),
        around: surroundings.Surroundings = surroundings.NOTHING,
        readable: Iterable[str] = (),
    ) -> None:
        self.missing: dict[str, str] = {}
        self._view = view
        self._gateways = gateways
        self._around = around
        self._control = tuple(dict.fromkeys([*CONTROL_FOLDERS, *CONTROL_FILES, *control]))
        self._foreign = tuple(
            m for m in view.foreign(declared) if not _is_decoy(m.source, m.target)
        )
        self._readable = frozenset(readable)
        self._plant = PREFIX + secrets.token_hex(6)
        self._engine_pid = listeners.engine_pid(engine_host)
        self._secrets = {engine_id} if engine_id else set()
        self._pins: dict[str, ScratchFolder] = {}
        self._links = ""
        self._had_commondir = False
        self._changed: dict[str, int] = {}
        """The time of the last change of each control file of the host, or of its mode."""
        self._stack = contextlib.ExitStack()
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> Canaries:
        try:
            with _signals_blocked():
                self.facts = {
                    "plant": self._plant,
                    **self._outside_file(),
                    **self._process(),
                    **self._network(),
                    "peers": self._peers(),
                    **self._workspace(),
                    "limits": self._around.limits,
                    "tmpfs": self._around.tmpfs,
                    "environment": self._around.environment,
                    "foreign_mounts": [m.target for m in self._foreign if not _is_socket(m.source)],
                }
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with _signals_blocked():
            self._stack.close()

    @property
    def host(self) -> Host:
        """The values with which the judges compare."""
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot_id = file.read().strip()
        pids = {os.getpid(), self._engine_pid}
        return Host(frozenset(self._secrets), boot_id, listeners.namespaces(pids))

    def damage(self, attempt: str, result: Mapping[str, Any]) -> tuple[str, ...]:
        """The effects of an attempt that the host observes: changed scratch files, planted files, reached paths; () for
        none.
        """
        effects = [f"`{path}` can be moved away" for path in result.get("movable", [])]
        if attempt in PIN_ATTEMPTS:
            for inside, folder in self._pins.items():
                if what := folder.damage(attempt):
                    effects.append(f"the host's file in `{inside}` is {what}")
        elif attempt == "control-file-create":
            effects += self._find_planted(self._control_folders())
        elif attempt == "git-commondir":
            effects += [
                *self._find_commondir(),
                *self._find_reached(attempt, result.get("reached", [])),
            ]
        elif attempt == "control-file-mode":
            effects += self._find_changed_modes(result.get("reached", []))
        elif attempt == "writable-mount":
            effects += self._find_planted_outside(result)
        elif attempt == "setuid-plant":
            effects += self._find_planted_setuid()
        else:
            effects += self._find_reached(attempt, result.get("reached", []))
        return tuple(effects)

    def _outside_file(self) -> dict[str, Any]:
        """A file outside every mount that anybody on the host may read."""
        folder = tempfile.mkdtemp(prefix="sandboxd-verify-")
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o755)  # noqa: S103 - only the mount namespace shall stand in the way
        path = os.path.join(os.path.realpath(folder), "canary")
        secret = self._secret()
        with open(path, "w") as file:
            file.write(secret)
        os.chmod(path, 0o644)
        return {"canary": path}

    def _process(self) -> dict[str, Any]:
        marker = listeners.Marker()
        self._stack.callback(marker.close)
        self._secrets |= {marker.command_secret, marker.environ_secret}
        return {"marker": marker.word, "environ": marker.variable}

    def _network(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"gateways": [], "gateway_port": 0}
        for address in self._gateways:
            with contextlib.suppress(OSError):
                banner = self._listen(listeners.tcp(address, self._engine_pid))
                facts |= {"gateways": [address], "gateway_port": banner.port}
                break
        if not facts["gateway_port"]:
            # Without an address there is nothing to reach.
            attempts = ["host-gateway"] if self._gateways else []
            # An address of the engine that is ours, too, shows that its network is ours.
            if not listeners.reaches_network(self._engine_pid):
                attempts += ["host-loopback", "abstract-socket"]
            self._say_missing(attempts, "no listener could be opened in the engine's network")
        facts["loopback_port"] = self._listen(listeners.tcp("127.0.0.1", self._engine_pid)).port
        name, banner = listeners.abstract(self._engine_pid)
        self._listen(banner)
        return {**facts, "abstract": name}

    def _peers(self) -> list[dict[str, Any]]:
        """Listeners in the networks of other containers, as far as these may be entered."""
        listening = []
        for peer in self._around.peers:
            with contextlib.suppress(OSError):
                banner = self._listen(listeners.tcp(peer.address, peer.pid))
                listening.append({"address": peer.address, "port": banner.port})
        if self._around.peers and not listening:
            self._say_missing(("container-peer",), "no listener could be opened beside a peer")
        return listening

    def _workspace(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "workspace": "",
            "pins": [],
            "link_folder": "",
            "control_folders": [],
            "control_files": [],
            "git_commondir": "",
            "movable": [],
        }
        workspace = self._view.workspace
        if workspace is None:
            return facts
        folders = self._control_folders()
        for folder in folders:
            self._scratch_in(folder)
        for mount in self._view.mounts:
            if is_objects(mount.target) and os.path.isdir(mount.source):
                self._scratch_at(mount.source, "", mount.target)
        if not self._pins:
            # No control folder: then the workspace's root is what a read-only mount would protect.
            self._scratch_in("")
        target = workspace.target
        self._had_commondir = bool(self._mode(_COMMONDIR))
        for path in self._control_files():
            source = os.path.join(workspace.source, path)
            self._changed[source] = os.lstat(source).st_ctime_ns
        # What lies above a pin carries it along where it can be moved.
        above = [*folders, *filter(None, map(os.path.dirname, self._control_files()))]
        links = self._links = self._folder("", 0o777)
        facts |= {
            "workspace": target,
            "link_folder": f"{target}/{links}" if links else "",
            "pins": [
                {"inside": inside, "scratch": f"{inside}/{self._plant}"} for inside in self._pins
            ],
            "control_folders": [f"{target}/{path}" for path in folders],
            "control_files": [f"{target}/{path}" for path in self._control_files()],
            "git_commondir": f"{target}/{_COMMONDIR}" if stat.S_ISDIR(self._mode(".git")) else "",
            "movable": self._movable(above),
        }
        if not self._pins:
            self._say_missing(PIN_ATTEMPTS, "no scratch file could be made in the workspace")
        if above and not facts["movable"]:
            self._say_missing(MOVE_ATTEMPTS, "nothing could be made beside the pins")
        return facts

    def _say_missing(self, attempts: Iterable[str], why: str) -> None:
        self.missing |= dict.fromkeys(attempts, why)

    def _movable(self, folders: Iterable[str]) -> list[dict[str, str]]:
        """Folders to move, each with a full folder beside it that it cannot replace."""
        assert self._view.workspace is not None
        target = self._view.workspace.target
        beside: dict[str, str] = {}
        moves = []
        for path in _with_parents(folders):
            parent = os.path.dirname(path)
            if parent not in beside:
                beside[parent] = self._folder(parent, 0o755)
            if beside[parent]:
                onto = os.path.join(target, parent, beside[parent])
                moves.append({"folder": f"{target}/{path}", "onto": onto})
        return moves

    def _folder(self, parent: str, mode: int) -> str:
        """Name of a new folder with one file in `parent`, '' where it cannot be made."""
        assert self._view.workspace is not None
        name = PREFIX + secrets.token_hex(6)
        try:
            folder = ScratchFolder(self._view.workspace.source, parent, name, _KEEP, mode)
        except OSError:
            return ""
        self._stack.callback(folder.remove)
        return name

    def _scratch_in(self, path: str) -> None:
        workspace = self._view.workspace
        assert workspace is not None
        self._scratch_at(workspace.source, path, f"{workspace.target}/{path}".rstrip("/"))

    def _scratch_at(self, root: str, path: str, inside: str) -> None:
        """Put scratch files into the folder `path` below `root`, which is seen as `inside`."""
        with contextlib.suppress(OSError):
            folder = ScratchFolder(root, path, self._plant, PIN_ATTEMPTS, 0o777)
            self._stack.callback(folder.remove)
            self._pins[inside] = folder

    def _control_folders(self) -> list[str]:
        return [p for p in self._control if stat.S_ISDIR(self._mode(p))]

    def _control_files(self) -> list[str]:
        return [p for p in self._control if stat.S_ISREG(self._mode(p))]

    def _mode(self, path: str) -> int:
        if self._view.workspace is None:
            return 0
        try:
            return os.lstat(os.path.join(self._view.workspace.source, path)).st_mode
        except OSError:
            return 0

    def _find_planted(self, folders: Iterable[str]) -> list[str]:
        workspace = self._view.workspace
        if workspace is None:
            return []
        # The scratch folder of the same name is no file, so unlink leaves it alone.
        return [
            f"a new file appeared in `{folder}`"
            for folder in folders
            if take_away(workspace.source, folder, f"{self._plant}-new")
        ]

    def _find_commondir(self) -> list[str]:
        workspace = self._view.workspace
        if workspace is None or self._had_commondir:
            return []
        folder, name = os.path.split(_COMMONDIR)
        if not take_away(workspace.source, folder, name):
            return []
        return [f"`{_COMMONDIR}` appeared, and git on the host reads the config that it names"]

    def _find_changed_modes(self, paths: Iterable[str]) -> list[str]:
        """The control files claimed by an attempt that the host sees changed, as sentences."""
        changed = []
        for path in paths:
            source = self._view.host_path(path)
            before = self._changed.get(source or "")
            if source is None or before is None:
                continue
            with contextlib.suppress(OSError):
                if os.lstat(source).st_ctime_ns != before:
                    changed.append(f"the mode of the host's `{source}` can be set")
        return changed

    def _find_planted_outside(self, result: Mapping[str, Any]) -> list[str]:
        effects = []
        for mount in self._foreign:
            if os.path.isdir(mount.source):
                if take_away(mount.source, "", f"{self._plant}-new"):
                    effects.append(f"a new file appeared in the host's `{mount.source}`")
            elif mount.target in result.get("reached", []):
                effects.append(f"the host's `{mount.source}` opened for writing")
        return effects

    def _find_planted_setuid(self) -> list[str]:
        if self._view.workspace is None or not self._links:
            return []
        path = os.path.join(self._view.workspace.source, self._links, "keep.moved")
        try:
            status = os.lstat(path)
        except OSError:
            return []
        if status.st_uid == 0 and stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_ISUID:
            return ["a setuid file of root's appeared in the workspace"]
        return []

    def _find_reached(self, attempt: str, paths: Iterable[str]) -> list[str]:
        """A sentence for each of `paths`, which an attempt claims to have reached, that is a path of the host; [] for none."""
        effects = []
        foreign = [m.target for m in self._foreign if m.target not in self._readable]
        for path in paths:
            source = self._view.host_path(path)
            if source is None:
                continue
            if attempt in _READ_ATTEMPTS:
                if not any(lies_in(path, target) for target in foreign):
                    continue
                effects.append(f"the host's `{source}` opens")
            elif attempt == "host-socket":
                if _is_socket(source):
                    effects.append(f"the host's socket `{source}` answers")
            elif os.path.lexists(source):
                effects.append(f"the host's `{source}` opens for writing")
        return effects

    def _listen(self, banner: listeners.Banner) -> listeners.Banner:
        self._stack.callback(banner.close)
        self._secrets.add(banner.secret)
        return banner

    def _secret(self) -> str:
        secret = secrets.token_hex(16)
        self._secrets.add(secret)
        return secret


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Delay signals while the block runs, so that none ends us between creating something and noting it for removal."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _with_parents(paths: Iterable[str]) -> list[str]:
    parts = (path.split("/") for path in paths)
    whole = ("/".join(names[:end]) for names in parts for end in range(1, len(names) + 1))
    return list(dict.fromkeys(whole))


def _is_decoy(source: str, target: str) -> bool:
    """Whether a mount is the token that sandboxd puts there to be tried: it is worth nothing."""
    own = os.path.join(os.path.realpath(state_folder(os.environ)), "inside")
    return target == DECOY_FILE and os.path.realpath(source).startswith(f"{own}/")


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
