"""Which sandbox runs on which engine: one project may run on several engines of its user at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.sandbox_id import workspace_of

if TYPE_CHECKING:
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.status.observe import Sandbox


class Place(NamedTuple):
    """One sandbox on one engine."""

    engine: str
    """The engine's address (`engine.contexts.Identity.address`)."""
    sandbox: str
    """The sandbox's identity (`model.sandbox_id`)."""

    @property
    def workspace(self) -> str:
        """The path of the sandbox's workspace."""
        return workspace_of(self.sandbox)


class View(NamedTuple):
    """What is at a place now."""

    place: Place
    key: EngineKey
    """The key by which the engine is reached for this sandbox."""
    sandbox: Sandbox | None
    """None where it is gone."""


class Places:
    """All sandboxes that the engines tell of. A container is at one place, in however many ways clients name its engine.

    `see` is to be called on the event loop, `find` in any thread.

    :param address: returns the present address of an engine
    """

    def __init__(self, address: Callable[[EngineKey], str]) -> None:
        self._address = address
        self._views: dict[Place, dict[EngineKey, Sandbox]] = {}

    def find(self, key: EngineKey, sandbox: str) -> Place:
        """The place of a sandbox on the engine that a client means, whether or not it runs there."""
        return self._known(key, sandbox) or Place(self._address(key), sandbox)

    def see(self, key: EngineKey, identity: str, sandbox: Sandbox | None) -> tuple[View, ...]:
        """Note what an engine tells of a sandbox; returns what is now at each place that this concerns.

        :param identity: the sandbox's identity
        :param sandbox: None where the engine has none, or does not answer
        """
        before = self._known(key, identity)
        if sandbox is None:
            place = before or Place(self._address(key), identity)
        else:
            # By an id that no other container has, a second address of one engine is known as such.
            place = self._of_container(identity, sandbox.id) or Place(self._address(key), identity)
        if before is not None and (sandbox is None or before != place):
            del self._views[before][key]
        if sandbox is not None:
            self._views.setdefault(place, {})[key] = sandbox
        concerned = dict.fromkeys((*((before,) if before is not None else ()), place))
        return tuple(self._view(each, key) for each in concerned)

    def of_workspace(self, workspace: str) -> tuple[View, ...]:
        """What is at each place of a project's sandboxes, as far as anything is there."""
        return tuple(
            self._view(place, next(iter(views)))
            for place, views in self._views.items()
            if place.workspace == workspace
        )

    def _view(self, place: Place, key: EngineKey) -> View:
        """What is at `place`, by the first key that shows it, so that this does not change without a reason.

        :param key: one for a place where nothing is
        """
        for first, sandbox in self._views.get(place, {}).items():
            return View(place, first, sandbox)
        self._views.pop(place, None)
        return View(place, key, None)

    def _known(self, key: EngineKey, sandbox: str) -> Place | None:
        """Where the engine `key` showed the sandbox last."""
        for place, views in list(self._views.items()):
            if place.sandbox == sandbox and key in views:
                return place
        return None

    def _of_container(self, sandbox: str, container: str) -> Place | None:
        for place, views in self._views.items():
            if place.sandbox == sandbox and any(
                each.id == container != "" for each in views.values()
            ):
                return place
        return None
