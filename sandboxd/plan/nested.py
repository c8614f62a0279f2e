"""The option `nested_sandbox`, which allows the system calls of bubblewrap for programs that make their own sandbox.

With them a process can leave the engine's mounts (`pivot_root`, then `umount2` of the old root). On the host's kernel
it can then rename or delete files that are mounted read-only in the workspace, so the sandbox may only work on a
private copy (docs/decisions/0052).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.host.facts import HostFacts
    from sandboxd.plan.compose import ComposeProject
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.profiles import Profile
    from sandboxd.plan.runtime import Choice
    from sandboxd.policy.floor import Floor

CALLS = "clone, unshare, mount, umount2, pivot_root"
PRICE = (
    f"{CALLS} are open: under runc every program inside may make a user namespace, where most local "
    "exploits of the host's kernel begin"
)
_TAKE_OUT = "take `nested_sandbox` out of sandboxd.toml"
_CONTROL = ControlName.NESTED_SANDBOX


def is_wanted(config: Config) -> bool:
    """Whether sandboxd.toml asks for nested sandboxes."""
    return config.nested_sandbox.value == "calls"


def is_list(file: str) -> bool:
    """Whether a shipped seccomp list, given by name or path, is one that allows the calls."""
    return "-nested-" in file


def refuse(
    profile: Profile, config: Config, floor: Floor, trusted: bool, how_to_grant: str
) -> None:
    """Refuse nested sandboxes that policy, profile or layout do not allow, or for which the user's grant is missing.

    :param profile: with the workspace layout that the config asks for
    :param how_to_grant: the hint of the error if only the grant is missing
    :raises UsageError: they are asked for and may not be allowed
    """
    if not is_wanted(config):
        return
    if floor.no_nested_sandbox:
        path = floor.path_of("nested_sandbox")
        raise UsageError(
            f"sandboxd.toml asks for `nested_sandbox`, and `{path}` forbids it", _TAKE_OUT
        )
    if not profile.nested_runc:
        raise UsageError(
            f"profile `{profile.name}` does not allow `nested_sandbox`",
            f"{_TAKE_OUT}, or choose profile `dev` or `agent`",
        )
    if profile.access != "copy":
        raise UsageError(
            "with `nested_sandbox` a program inside could move away what is pinned in your folder",
            'work on a private copy: `layout = "clone"` in `[workspace]` of sandboxd.toml',
        )
    if not trusted:
        raise UsageError("sandboxd.toml alone cannot open `nested_sandbox`", how_to_grant)


def refuse_beside(config: Config, project: ComposeProject | None) -> None:
    """Refuse nested sandboxes in a project with other services, which would get the same seccomp list.

    :param project: None if it is no Compose project
    :raises UsageError: they are asked for, and the project has other services that `up` starts
    """
    if is_wanted(config) and project is not None and project.services:
        names = ", ".join(f"`{service.container.name}`" for service in project.services)
        raise UsageError(f"`nested_sandbox` would hold for {names}, too", _TAKE_OUT)


def say(choice: Choice, host: HostFacts, notes: Notes) -> None:
    """Note what the option opens, at which cost, and what bubblewrap still cannot do."""
    if choice.gvisor:
        why = "namespaces and mounts are gVisor's own: nothing is opened on the host's kernel"
        notes.reason("security_opt", "nested_sandbox", why, "config")
        notes.downgrade(
            _CONTROL,
            "not every gVisor runs bubblewrap: 0.12 ends with `Failed to make / slave` in runsc 20240729",
            "`sandboxd exec -- bwrap --ro-bind / / true` shows whether this one does",
        )
        return
    notes.reason("security_opt", "nested_sandbox", f"opens {CALLS}", "config")
    notes.reason(
        "security_opt",
        "bubblewrap inside",
        "the kernel still refuses it a fresh /proc while parts of /proc are masked, and `--disable-userns`: "
        "use `--bind /proc /proc` in place of `--proc /proc`",
        "host",
    )
    notes.downgrade(
        ControlName.SYSTEM_CALLS,
        "`nested_sandbox` lets every program inside make a user namespace on the host's kernel, where most "
        "local exploits begin",
        f"{_TAKE_OUT}, or let gVisor run it",
    )
    if host.apparmor is True:
        notes.downgrade(
            _CONTROL,
            "AppArmor's profiles of sandboxd and of the engine refuse mounts, so bubblewrap fails",
            "switch the program's own sandbox off: this one is around it",
        )
