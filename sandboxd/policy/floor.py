"""The policy minimum: what an organisation, then the user, demands of every project. It can only tighten.

It consists of `/etc/sandboxd/policy.toml` and of `policy.toml` in the user's config folder. Both apply, so the second
file can add restrictions but remove none. Repositories have no influence. A file that cannot be read, or has an unknown
key, is an error: a misspelt restriction must not be ignored.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.policy.own_files import why_away

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from sandboxd.egress.entries import Entry
    from sandboxd.egress.names import Pattern
    from sandboxd.egress.policy import Upstream

ORGANISATION = "/etc/sandboxd/policy.toml"
FILE_NAME = "policy.toml"
_LARGEST = 1 << 20

_LISTS = (
    "profiles", "capabilities", "credentials", "enforce", "network_allow", "network_deny",
    "clusters", "cluster_namespaces", "hide",
)  # fmt: skip
# Other demands, each with the field of `Floor` that it sets.
_DEMANDED: dict[str, dict[object, str]] = {
    "runtime": {"gvisor": "gvisor"},
    "network": {"none": "no_network", "allow": "no_open_network"},
    "network_private": {False: "no_private"},
    "layout": {"clone": "clone"},
    "gpus": {False: "no_gpus"},
    "allow_runc": {False: "no_runc_grant"},
    "trust": {False: "no_trust"},
    "nested_sandbox": {"off": "no_nested_sandbox"},
    "cluster_secrets": {False: "no_cluster_secrets"},
    "daemon": {False: "no_daemon"},
}
_GATEWAY_IMAGE = "gateway_image"
_BY_DIGEST = re.compile(r"[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}")
PROXY, _PROXY_EXCEPT = "network_proxy", "network_proxy_except"
_CA = "network_ca"
# These take nothing away: they say how gateways are made, where they go out, and what answers there.
_WAYS = (_GATEWAY_IMAGE, PROXY, _PROXY_EXCEPT, _CA)
_CACHES, _LIMITS = "caches", "limits"
_KEYS = (*_LISTS, *_DEMANDED, *_WAYS, _CACHES, _LIMITS)


class Demand(NamedTuple):
    """One line of a policy file: its key, its value, and the file's path."""

    key: str
    value: Any
    path: str


class Floor(NamedTuple):
    """The demands of organisation and user on every project; None, False and empty mean that nothing is demanded.

    `demands` has all lines, to be shown.
    """

    profiles: frozenset[str] | None = None
    """The only profiles that may be chosen; None: any."""
    capabilities: frozenset[str] | None = None
    """The only capabilities that a sandboxd.toml may add; None: any."""
    credentials: frozenset[str] | None = None
    """The only services for which a sandboxd.toml may use the user's credentials; None: any."""
    gvisor: bool = False
    no_network: bool = False
    no_open_network: bool = False
    network_allow: tuple[tuple[Entry, ...], ...] = ()
    """Lists of entries as in `[network] allow`; a name may only be reached if every list allows it."""
    hide: tuple[str, ...] = ()
    """Patterns of files that stay out of every sandbox but those of profile `trusted`, as of a `.gitignore`."""
    network_deny: tuple[Pattern, ...] = ()
    """Hosts and wildcards that nothing may reach."""
    no_private: bool = False
    """Private addresses may not be reached."""
    gateway_image: str = ""
    """The gateway's image, by digest, for engines that cannot run ours; '' for none."""
    network_proxy: Upstream | None = None
    """The company's proxy through which gateways connect, without its credentials; None for none."""
    network_ca: tuple[str, ...] = ()
    """Absolute paths of files with the CA certificates of a network whose proxy opens TLS (`policy.network_ca`)."""
    clone: bool = False
    """Sandboxes may only work on private copies."""
    no_gpus: bool = False
    """No graphics processor may be passed in."""
    no_runc_grant: bool = False
    no_trust: bool = False
    no_nested_sandbox: bool = False
    clusters: tuple[Demand, ...] = ()
    """Lists of contexts and of addresses of API servers; work may only go to a cluster that is in every list."""
    cluster_namespaces: tuple[Demand, ...] = ()
    """Lists of the namespaces there, with the same meaning."""
    no_cluster_secrets: bool = False
    """The user's secrets may not go to a cluster."""
    no_daemon: bool = False
    """Commands may not start the daemon automatically."""
    caches: int | None = None
    """The largest total size of all package caches of an engine, in bytes; None: the default."""
    limits: tuple[tuple[str, str | int], ...] = ()
    """The largest limits that a sandbox may have, by their names of `model.limits`."""
    enforced: Mapping[str, str] = {}
    """Rules whose findings cannot be suppressed, each with the policy file that says so."""
    demands: tuple[Demand, ...] = ()

    def path_of(self, key: str) -> str:
        """The path of the first policy file that has the key; '' if none has it."""
        return next((demand.path for demand in self.demands if demand.key == key), "")


NO_FLOOR = Floor()


def user_folder(environ: Mapping[str, str]) -> str:
    """The folder of the user's own policy and grants."""
    config = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(config):
        # By its specification; it would be another folder for each folder that a command is called in.
        config = os.path.join(environ.get("HOME", "/"), ".config")
    return os.path.join(config, "sandboxd")


def load(
    environ: Mapping[str, str],
    organisation: str = ORGANISATION,
    rule_ids: Collection[str] | None = None,
) -> Floor:
    """Read the policy minimum of this user.

    :param rule_ids: the rule ids that `enforce` may name; None: any
    :raises UsageError: a file of it cannot be read, is not valid, or could be written by others
    """
    paths = (organisation, os.path.join(user_folder(environ), FILE_NAME))
    floor = combine(
        Demand(key, value, path) for path in paths for key, value in _read(path).items()
    )
    for rule, path in floor.enforced.items():
        if rule_ids is not None and rule not in rule_ids:
            raise UsageError(
                f"the policy `{path}` enforces a rule `{rule}` that there is not",
                "`sandboxd rules` lists all",
            )
    return floor


def combine(demands: Iterable[Demand]) -> Floor:
    """The policy minimum in which all of `demands` apply.

    :raises UsageError: a demand is not valid
    """
    floor = NO_FLOOR
    for demand in demands:
        floor = _tighten(floor, demand)
    return floor._replace(network_proxy=_proxy(floor.demands))


def enforced(environ: Mapping[str, str], rule_ids: Collection[str]) -> Mapping[str, str]:
    """`Floor.enforced`, for callers that must not fail: if the policy cannot be read, all of `rule_ids` are
    enforced.
    """
    try:
        return load(environ, rule_ids=rule_ids).enforced
    except UsageError:
        return dict.fromkeys(rule_ids, FILE_NAME)


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            is_regular = stat.S_ISREG(status.st_mode)
            data = file.read(_LARGEST + 1) if is_regular else b""
    except (FileNotFoundError, NotADirectoryError):
        _refuse_away(path)
        return {}
    except OSError as error:
        raise UsageError(
            f"cannot read the policy `{path}`: {(error.strerror or str(error)).lower()}",
            "correct its permissions: without it nothing may run",
        ) from None
    if not is_regular:
        raise UsageError(
            f"the policy `{path}` is no regular file",
            "replace it by one: without it nothing may run",
        )
    if status.st_mode & stat.S_IWOTH or status.st_uid not in (0, os.geteuid()):
        raise UsageError(
            f"the policy `{path}` can be written by others", f"`chmod o-w {path}`, and own it"
        )
    if len(data) > _LARGEST:
        raise UsageError(
            f"the policy `{path}` is larger than {_LARGEST >> 20} MiB, so not all of it would be read",
            "make it shorter: without it nothing may run",
        )
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except ValueError as error:
        raise UsageError(f"the policy `{path}` is not valid TOML: {error}", "correct it") from None


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for anybody at the other end of a named pipe."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _refuse_away(path: str) -> None:
    """:raises UsageError: there may be a policy, in a place that is not there now, as a folder that is not mounted"""
    if why := why_away(path):
        raise UsageError(
            f"cannot read the policy `{path}`: {why}",
            "bring back what it leads to, or remove it: without it nothing may run",
        )


def _meant(key: str) -> str:
    from difflib import get_close_matches

    if near := get_close_matches(key, list(_KEYS), n=1):
        return f"did you mean `{near[0]}`?"
    return "it may have " + ", ".join(f"`{name}`" for name in _KEYS)


def _tighten(floor: Floor, demand: Demand) -> Floor:
    key, value = demand.key, demand.value
    if key not in _KEYS:
        raise UsageError(f"the policy `{demand.path}` has an unknown key `{key}`", _meant(key))
    floor = floor._replace(demands=(*floor.demands, demand))
    if key in _LISTS:
        return _tighten_list(floor, demand)
    if key in (PROXY, _PROXY_EXCEPT):
        return floor  # `_proxy` reads both together
    if key == _GATEWAY_IMAGE:
        if not isinstance(value, str) or not _BY_DIGEST.fullmatch(value):
            raise _wrong(demand, "an image by its digest, `NAME@sha256:...`: a tag can be moved")
        # No demand; the organisation's counts before the user's.
        return floor._replace(gateway_image=floor.gateway_image or value)
    if key == _CA:
        if not isinstance(value, str) or not os.path.isabs(value):
            raise _wrong(demand, "the absolute path of a file with certificates in PEM")
        return floor._replace(network_ca=tuple(dict.fromkeys((*floor.network_ca, value))))
    if key == _CACHES:
        return floor._replace(caches=min(_bytes(demand), floor.caches or _bytes(demand)))
    if key == _LIMITS:
        return floor._replace(limits=_smaller(floor.limits, demand))
    values = _DEMANDED[key]
    if not any(type(value) is type(other) and value == other for other in values):
        listed = " or ".join(f"`{str(other).lower()}`" for other in values)
        raise _wrong(demand, f"{listed}: a policy can only take away")
    field: dict[str, Any] = {values[value]: True}
    return floor._replace(**field)


def _bytes(demand: Demand) -> int:
    # Late: most floors say nothing of caches.
    from sandboxd.policy.byte_size import EXPECTED, size_of

    if (size := size_of(demand.value)) is None:
        raise _wrong(demand, EXPECTED)
    return size


def _smaller(
    known: tuple[tuple[str, str | int], ...], demand: Demand
) -> tuple[tuple[str, str | int], ...]:
    """`known` with the limits of `demand`: of each name the smaller one."""
    # Late, as above.
    from sandboxd.model import limits

    if not isinstance(demand.value, dict):
        raise _wrong(demand, "a table, `[limits]`")
    most = dict(known)
    for name, value in demand.value.items():
        if name not in limits.FORMS:
            raise UsageError(
                f"the policy `{demand.path}` has an unknown limit `{name}`",
                "it may have " + ", ".join(f"`{each}`" for each in limits.FORMS),
            )
        if not limits.is_value(value, name):
            raise UsageError(
                f"the policy `{demand.path}` has the limit `{name} = {value!r}`",
                f"it must be {limits.FORMS[name].words}",
            )
        if name not in most or limits.amount(name, value) < limits.amount(name, most[name]):
            most[name] = value
    return tuple(sorted(most.items()))


def _tighten_list(floor: Floor, demand: Demand) -> Floor:
    key, value = demand.key, demand.value
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(demand, "a list of strings")
    if key == "enforce":
        return floor._replace(enforced={**dict.fromkeys(value, demand.path), **floor.enforced})
    if key == "hide":
        return floor._replace(hide=(*floor.hide, *value))
    if key == "clusters":
        return floor._replace(clusters=(*floor.clusters, demand))
    if key == "cluster_namespaces":
        return floor._replace(cluster_namespaces=(*floor.cluster_namespaces, demand))
    if key == "network_allow":
        return floor._replace(network_allow=(*floor.network_allow, _entries(demand)))
    if key == "network_deny":
        return floor._replace(network_deny=(*floor.network_deny, *_patterns(demand)))
    allowed = frozenset(item.removeprefix("CAP_") for item in value)
    before: frozenset[str] | None = getattr(floor, key)
    narrowed: dict[str, Any] = {key: allowed if before is None else before & allowed}
    return floor._replace(**narrowed)


def _proxy(demands: Iterable[Demand]) -> Upstream | None:
    """The proxy of the first file that names one: the organisation's before the user's."""
    first: Upstream | None = None
    lines = {(demand.path, demand.key): demand for demand in demands}
    for (path, key), demand in lines.items():
        if key == _PROXY_EXCEPT and (path, PROXY) not in lines:
            raise _wrong(demand, f"beside `{PROXY}`: it is about the proxy of its own file")
        if key == PROXY:
            read = _one_proxy(demand, lines.get((path, _PROXY_EXCEPT)))
            first = first or read
    return first


def _one_proxy(demand: Demand, exceptions: Demand | None) -> Upstream:
    # Late, as with names: most floors have none.
    from sandboxd.policy.proxy import NotAProxy, upstream

    excepted = exceptions.value if exceptions is not None else []
    if not isinstance(excepted, list) or not all(isinstance(text, str) for text in excepted):
        raise _wrong(exceptions or demand, "a list of strings")
    if not isinstance(demand.value, str):
        raise _wrong(demand, "the URL of a proxy, `http://HOST:PORT`")
    try:
        return upstream(demand.value, excepted)
    except NotAProxy as error:
        # Without the value: it may hold a password.
        raise UsageError(
            f"`{demand.key}` of the policy `{demand.path}` {error}",
            f'it must be like `{PROXY} = "http://proxy.corp.example:3128"`',
        ) from None


def _entries(demand: Demand) -> tuple[Entry, ...]:
    # Late: most floors have no list of names, and `check` reads the floor each time.
    from sandboxd.egress.entries import NotAnEntry, entry

    entries = []
    for text in demand.value:
        try:
            entries.append(entry(text))
        except NotAnEntry as error:
            raise _wrong(demand, f"groups, hosts and wildcards: `{text}` {error}") from None
    return tuple(entries)


def _patterns(demand: Demand) -> tuple[Pattern, ...]:
    from sandboxd.egress.names import NotAName, pattern

    patterns = []
    for text in demand.value:
        try:
            patterns.append(pattern(text))
        except NotAName as error:
            raise _wrong(demand, f"hosts and wildcards: `{text}` is {error}") from None
    return tuple(patterns)


def _wrong(demand: Demand, expected: str) -> UsageError:
    return UsageError(
        f"the policy `{demand.path}` has `{demand.key} = {demand.value!r}`",
        f"it must be {expected}",
    )
