"""The content of a `sandboxd.toml`: each value with the place where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sandboxd.findings import Place

if TYPE_CHECKING:
    from sandboxd.credentials.name import Name
    from sandboxd.egress.entries import Entry

T = TypeVar("T")


class Setting(NamedTuple, Generic[T]):
    """A value, and where it is written; `place` is None for a default."""

    value: T
    place: Place | None = None


class Allow(NamedTuple):
    """The project accepts findings of `rule`, for this reason, until the ISO date `expires`; None for ever."""

    rule: str
    reason: str
    expires: str | None
    place: Place


class WorkspaceWishes(NamedTuple):
    """The table `[workspace]`; None where the profile, or what is found on the disk, decides.

    `layout` is ``bind``, the host's folder itself, ``clone``, a private copy of it, or ``synced``, a copy that is kept
    the same; `hot` are folders, relative to the workspace, to be kept in memory; `shared_volumes` are named volumes
    that other projects use, too; `sync` are patterns of ignored files that a copy that is kept the same has, too; `hide`
    and `show` are patterns of files that stay out of the sandbox, and of those that do not although they look like a
    secret; `folders` are folders beside the workspace, by their paths from it, to be read inside.
    """

    layout: Setting[str] | None = None
    hot: tuple[Setting[str], ...] | None = None
    shared_volumes: tuple[Setting[str], ...] = ()
    sync: tuple[Setting[str], ...] = ()
    hide: tuple[Setting[str], ...] = ()
    show: tuple[Setting[str], ...] = ()
    folders: tuple[Setting[str], ...] = ()


class NetworkWishes(NamedTuple):
    """The table `[network]`; None where the profile decides. `allow` replaces the profile's own list."""

    mode: Setting[str] | None = None
    allow: tuple[Setting[Entry], ...] | None = None
    private: tuple[Setting[Entry], ...] = ()
    """Hosts that may resolve to private addresses, and private addresses that may be reached."""
    forward: tuple[Setting[str], ...] = ()
    """Ports that are forwarded to this machine, as `sandboxd forward` takes them."""

    @property
    def wanted_mode(self) -> Setting[str] | None:
        """The mode that is asked for: the one that is set, or ``allow`` if only names or addresses are listed.

        None where neither is, or the mode is ``default``: the profile decides.
        """
        if self.mode is not None and self.mode.value != "default":
            return self.mode
        first = next(iter((*(self.allow or ()), *self.private)), None)
        if first is None and self.allow is None:
            return None
        return Setting("allow", first.place if first is not None else None)


class CredentialWishes(NamedTuple):
    """The table `[credentials]`: services to use, and services without whose secret nothing starts."""

    use: tuple[Setting[Name], ...] = ()
    required: tuple[Setting[Name], ...] = ()

    def names(self) -> tuple[Name, ...]:
        """The names in both lists, each once, sorted."""
        return tuple(sorted({setting.value for setting in (*self.use, *self.required)}))


class Config(NamedTuple):
    """A project's config: the content of its `sandboxd.toml`, or the defaults if there is none.

    `path` is the file's path as it is shown; None if there is no file.
    """

    path: str | None
    workspace: str
    profile: Setting[str] = Setting("dev")
    runtime: Setting[str] = Setting("auto")
    image: Setting[str] | None = None
    skip_features: tuple[Setting[str], ...] = ()
    """Features of the devcontainer.json that are not installed; ``*`` stands for all."""
    user: Setting[str] | None = None
    nested_sandbox: Setting[str] = Setting("off")
    capabilities: tuple[Setting[str], ...] = ()
    network: NetworkWishes = NetworkWishes()
    environment: tuple[Setting[tuple[str, str]], ...] = ()
    allow: tuple[Allow, ...] = ()
    rules: tuple[Setting[tuple[str, str]], ...] = ()
    others: tuple[Setting[str], ...] | None = None
    """Patterns of files that are somebody else's; None for the usual ones."""
    digest: str = ""
    """The digest of the file's bytes; '' if there is no file."""
    wishes: WorkspaceWishes = WorkspaceWishes()
    credentials: CredentialWishes = CredentialWishes()
    devices: tuple[Setting[str], ...] = ()
    """Graphics processors to pass in: ``all``, numbers or UUIDs."""
    limits: tuple[Setting[tuple[str, str | int]], ...] = ()
    """The limits that it sets, each with its name of `model.limits`."""
    where: Setting[str] | None = None
    """The name of the kubeconfig context whose cluster the sandbox runs on; None for this machine."""
