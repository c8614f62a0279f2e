"""A `sandboxd.toml` that was read: each value with the place where it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sandboxd.findings import Place

if TYPE_CHECKING:
    from sandboxd.credentials.name import Name
    from sandboxd.egress.entries import Entry

T = TypeVar("T")


class Setting(NamedTuple, Generic[T]):
    """A value and where it was written; `place` is None for a default."""

    value: T
    place: Place | None = None


class Allow(NamedTuple):
    """A rule that the project accepts findings of, and why; `expires` is an ISO date or None."""

    rule: str
    reason: str
    expires: str | None
    place: Place


class WorkspaceWishes(NamedTuple):
    """The table `[workspace]`; None where the profile, or what was found on disk, decides.

    `layout` is ``bind``, the host's folder itself, or ``clone``, a private copy of it; `hot` are folders,
    relative to the workspace, to be kept in memory; `shared_volumes` are named volumes that are not the
    project's alone.
    """

    layout: Setting[str] | None = None
    hot: tuple[Setting[str], ...] | None = None
    shared_volumes: tuple[Setting[str], ...] = ()


class NetworkWishes(NamedTuple):
    """The table `[network]`; None where the profile decides. `allow` replaces the profile's own list."""

    mode: Setting[str] | None = None
    allow: tuple[Setting[Entry], ...] | None = None
    private: tuple[Setting[Entry], ...] = ()
    """Hosts that may lead to private addresses, and such addresses."""

    @property
    def wanted_mode(self) -> Setting[str] | None:
        """The mode that is asked for; a list of names asks for `allow`."""
        if self.mode is not None and self.mode.value != "default":
            return self.mode
        first = next(iter((*(self.allow or ()), *self.private)), None)
        if first is None and self.allow is None:
            return None
        return Setting("allow", first.place if first is not None else None)


class CredentialWishes(NamedTuple):
    """The table `[credentials]`: services to use, and those without which nothing starts."""

    use: tuple[Setting[Name], ...] = ()
    required: tuple[Setting[Name], ...] = ()

    def names(self) -> tuple[Name, ...]:
        """The names in both lists, each once, sorted."""
        return tuple(sorted({setting.value for setting in (*self.use, *self.required)}))


class Config(NamedTuple):
    """A project's config: a `sandboxd.toml`, or the defaults where there is none.

    `path` is the file's path as it is shown, None when there is no file.
    """

    path: str | None
    workspace: str
    profile: Setting[str] = Setting("dev")
    runtime: Setting[str] = Setting("auto")
    image: Setting[str] | None = None
    skip_features: tuple[Setting[str], ...] = ()
    """Features of the devcontainer.json that are left out; ``*`` stands for all."""
    user: Setting[str] | None = None
    nested_sandbox: Setting[str] = Setting("off")
    capabilities: tuple[Setting[str], ...] = ()
    network: NetworkWishes = NetworkWishes()
    environment: tuple[Setting[tuple[str, str]], ...] = ()
    allow: tuple[Allow, ...] = ()
    rules: tuple[Setting[tuple[str, str]], ...] = ()
    digest: str = ""
    """Identity of the bytes that were read; '' when there is no file."""
    wishes: WorkspaceWishes = WorkspaceWishes()
    credentials: CredentialWishes = CredentialWishes()
    devices: tuple[Setting[str], ...] = ()
    """Graphics processors to pass in: ``all``, numbers or UUIDs."""
    where: Setting[str] | None = None
    """The context of a kubeconfig whose cluster it runs on; None for this machine."""
