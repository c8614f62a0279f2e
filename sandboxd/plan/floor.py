"""Applies the policy minimum to what a project asks for: it restricts the config, or refuses it and names the policy
file.

By itself a sandboxd.toml can only tighten what the plan would be without it: profile `dev`, and the runtime that `auto`
selects on this host. Whatever loosens that applies once the user trusts the file (`policy.trust`).
"""

from __future__ import annotations

from sandboxd.config.model import Config, CredentialWishes, NetworkWishes, Setting
from sandboxd.errors import UsageError
from sandboxd.host.facts import UNKNOWN, HostFacts
from sandboxd.plan import capabilities, chosen_limits, credentials, gpus, nested, network_limits
from sandboxd.plan.profiles import Profile
from sandboxd.plan.project_hosts import NO_HOSTS, ProjectHosts
from sandboxd.policy.floor import Floor

FORBIDDEN_HINT = "set `profile` in sandboxd.toml to one that is: {allowed}"
_LOOK = "look at the file, then run `sandboxd trust add`; or "

_WRITTEN = {"bind": "the host's folder itself", "synced": "a copy that is kept the same"}
"""Layouts in which what is written inside gets into the host's folder by itself, in words."""


def apply(
    profile: Profile,
    config: Config,
    floor: Floor,
    granted: bool,
    hosts: ProjectHosts = NO_HOSTS,
) -> tuple[Profile, Config]:
    """Limit profile and config to what the policy minimum and the user's grant allow.

    :param granted: whether the user trusts this content of sandboxd.toml
    :param hosts: the hosts that the project's files name; without them more settings count as loosened
    :raises UsageError: the profile, a capability, a device, a credential or a shared volume may not be chosen here
    """
    trusted = granted and not floor.no_trust
    _refuse_choice(profile, floor, trusted)
    profile = with_layout(profile, config, floor, granted)
    if floor.gvisor:
        profile = profile._replace(gvisor="required")
    profile, config = network_limits.limit(
        profile,
        config,
        floor,
        trusted,
        hosts,
        _how_to_grant(floor, "take it out of `[network]`"),
    )
    profile = chosen_limits.limit(
        profile, config, floor, trusted, _how_to_grant(floor, "make it smaller under `[limits]`")
    )
    profile = capabilities.limit(profile, floor)
    capabilities.refuse(
        profile, config, trusted, _how_to_grant(floor, "take it out of `[capabilities] add`")
    )
    nested.refuse(
        profile, config, floor, trusted, _how_to_grant(floor, "take `nested_sandbox` out of it")
    )
    gpus.refuse(
        profile, config, floor, trusted, _how_to_grant(floor, "take it out of `[devices] gpus`")
    )
    credentials.refuse(
        config, floor, trusted, _how_to_grant(floor, "take it out of `[credentials] use`")
    )
    if not trusted:
        _refuse_lists(config, floor)
    return profile, config


def _refuse_lists(config: Config, floor: Floor) -> None:
    """:raises UsageError: a list of `[workspace]` has what the user has to trust"""
    wishes = config.wishes
    for key, settings, what in (
        ("shared_volumes", wishes.shared_volumes, "share {} with other projects"),
        ("show", wishes.show, "show {} to the sandbox"),
        ("folders", wishes.folders, "have {} read inside"),
    ):
        if settings:
            names = ", ".join(f"`{setting.value}`" for setting in settings)
            raise UsageError(
                f"sandboxd.toml alone cannot {what.format(names)}",
                _how_to_grant(floor, f"take it out of `[workspace] {key}`"),
            )


def network_of_refused(
    profile: Profile, config: Config, floor: Floor, granted: bool, hosts: ProjectHosts
) -> tuple[Profile, Config]:
    """Profile and config with the network of a running sandbox whose config `apply` refuses, and without credentials.

    It is the network that the profile has by itself, less what the config takes away; none if the profile may not be
    chosen.

    :param granted: whether the user trusts this content of sandboxd.toml
    """
    config = config._replace(credentials=CredentialWishes())
    try:
        _refuse_choice(profile, floor, granted and not floor.no_trust)
    except UsageError:
        none = profile.network._replace(mode="none")
        return profile._replace(network=none), config._replace(network=NetworkWishes())
    tightened = network_limits.tightened(profile, config, floor, hosts)
    config = config._replace(network=tightened)
    return network_limits.limit(profile, config, floor, False, hosts, "")


def _refuse_choice(profile: Profile, floor: Floor, trusted: bool) -> None:
    """:raises UsageError: the config may not choose this profile"""
    refuse_profile(profile, floor, FORBIDDEN_HINT)
    if profile.needs_grant and not trusted:
        raise UsageError(
            f"profile `{profile.name}` takes controls away, so sandboxd.toml alone cannot choose it",
            _how_to_grant(floor, "choose another profile"),
        )


def refuse_profile(profile: Profile, floor: Floor, hint: str) -> None:
    """Refuse a profile that the policy minimum does not allow.

    :param hint: the next step; `{allowed}` in it is replaced by the names of the allowed profiles
    :raises UsageError: it is not allowed
    """
    if floor.profiles is None or profile.name in floor.profiles:
        return
    allowed = ", ".join(f"`{name}`" for name in sorted(floor.profiles)) or "none"
    raise UsageError(
        f"profile `{profile.name}` is not allowed by `{floor.path_of('profiles')}`",
        hint.format(allowed=allowed),
    )


def loosened(
    profile: Profile,
    config: Config,
    host: HostFacts | None = None,
    hosts: ProjectHosts = NO_HOSTS,
) -> tuple[str, ...]:
    """The settings that remove controls, in words, so that the user has to agree; () if the config only tightens.

    :param host: None: what would be a loosening on any host counts
    :param hosts: the hosts that the project's files name; without them more settings count as loosened
    """
    settings = []
    if profile.needs_grant:
        settings.append(f"profile {profile.name}")
    if profile.access == "copy" and _layout(config) in _WRITTEN:
        settings.append(f"{_WRITTEN[_layout(config)]} in place of a private copy")
    if leaves_gvisor(profile, config, host):
        settings.append("runtime runc where gVisor works")
    settings += chosen_limits.loosened(profile, config)
    settings += [f"capability {cap}" for cap in capabilities.added(profile, config)]
    if nested.is_wanted(config):
        settings.append("a sandbox inside the sandbox")
    settings += [f"graphics processor {name}" for name in gpus.names(config)]
    settings += [f"shared volume {setting.value}" for setting in config.wishes.shared_volumes]
    settings += [f"hidden files {setting.value}" for setting in config.wishes.show]
    settings += [f"folder {setting.value}" for setting in config.wishes.folders]
    settings += [f"credential {name}" for name in config.credentials.names()]
    if config.where is not None:
        settings.append(f"the cluster {config.where.value}")
    settings += network_limits.loosened(profile, config, hosts)
    return tuple(settings)


def leaves_gvisor(profile: Profile, config: Config, host: HostFacts | None) -> bool:
    """Whether the config selects runc where the profile by itself would have selected gVisor.

    :param host: None: whether it would on any host
    """
    # A profile that needs gVisor refuses runc whatever the file says.
    if config.runtime.value != "runc" or profile.gvisor != "preferred":
        return False
    return host is None or host.proven_gvisor() is not None


def with_layout(profile: Profile, config: Config, floor: Floor, granted: bool) -> Profile:
    """`profile` with the workspace layout that the config asks for or the policy minimum demands; a copy is always
    allowed.

    :raises UsageError: the config asks for a weaker layout than profile or policy minimum have
    """
    layout = _layout(config)
    if layout == "synced" and not profile.pins:
        raise UsageError(
            f"profile `{profile.name}` works on the folder itself, with all that acts on this machine",
            "take `layout` out of `[workspace]` in sandboxd.toml, or choose another profile",
        )
    if profile.access == "ro":
        if layout:
            raise UsageError(
                f"profile `{profile.name}` has the workspace read-only: it has no layout",
                "take `layout` out of `[workspace]` in sandboxd.toml, or choose another profile",
            )
        return profile
    if layout in _WRITTEN and floor.clone:
        raise UsageError(
            f"sandboxd.toml asks for the layout `{layout}`, and `{floor.path_of('layout')}` demands `clone`",
            "take `layout` out of `[workspace]` in sandboxd.toml",
        )
    if layout == "clone" or floor.clone:
        return profile._replace(access="copy")
    if layout in _WRITTEN and profile.access == "copy":
        if floor.no_trust or not granted:
            raise UsageError(
                f"profile `{profile.name}` works on a copy, so sandboxd.toml alone cannot choose "
                f"{_WRITTEN[layout]}",
                _how_to_grant(floor, 'set `layout = "clone"`'),
            )
        profile = profile._replace(access="rw")
    return profile._replace(synced=layout == "synced")


def _layout(config: Config) -> str:
    return config.wishes.layout.value if config.wishes.layout is not None else ""


def runtime(
    profile: Profile,
    config: Config,
    floor: Floor,
    host: HostFacts = UNKNOWN,
    granted: bool = False,
    allow_runc: bool = False,
) -> Setting[str]:
    """The runtime to ask for: runc only if gVisor does not work, or the user agreed to it.

    :param granted: whether the user trusts this content of sandboxd.toml
    :param allow_runc: the user's grant for this run
    :raises UsageError: the config asks for runc where gVisor would be used
    """
    if floor.gvisor and config.runtime.value == "runc":
        raise UsageError(
            f"sandboxd.toml asks for `runc`, and `{floor.path_of('runtime')}` demands gVisor",
            'set `runtime = "auto"` in sandboxd.toml',
        )
    trusted = granted and not floor.no_trust and not floor.no_runc_grant
    if leaves_gvisor(profile, config, host) and not (trusted or allow_runc):
        forbidden = floor.path_of("allow_runc")
        raise UsageError(
            "sandboxd.toml asks for `runc` where gVisor works, and it alone cannot take gVisor away",
            f'set `runtime = "auto"`: `{forbidden}` forbids runc where gVisor works'
            if floor.no_runc_grant
            else _how_to_grant(floor, 'set `runtime = "auto"`'),
        )
    return config.runtime


def _how_to_grant(floor: Floor, otherwise: str) -> str:
    if floor.no_trust:
        return f"`{floor.path_of('trust')}` forbids to trust it: {otherwise}"
    return _LOOK + otherwise
