"""Which sandbox runs on which engine: one project may run on several engines of its user at the same time."""

from __future__ import annotations

import threading
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

    `find` and `find_started` may be called from any thread, all else on the event loop.

    :param address: returns the present address of an engine
    """

    def __init__(self, address: Callable[[EngineKey], str]) -> None:
        self._address = address
        self._views: dict[Place, dict[EngineKey, Sandbox]] = {}
        self._started: dict[Place, tuple[str, Place]] = {}
        """The last container that was started by each address, by its id, and where it is."""
        self._lock = threading.Lock()

    def find(self, key: EngineKey, sandbox: str) -> Place:
        """The place of a sandbox on the engine that a client means, whether or not it runs there."""
        named = Place(self._address(key), sandbox)
        with self._lock:
            return self._find(key, named)

    def find_started(self, key: EngineKey, sandbox: str, container: str) -> Place:
        """The place of a container that a start made on the engine that a client means. It stays the same, by whichever
        address of that engine the container is shown, before or after this.

        :param container: its id; '' for none, as by `find`
        """
        named = Place(self._address(key), sandbox)
        with self._lock:
            if not container:
                return self._find(key, named)
            # Not where the key showed one before: it may lead to another engine by now.
            place = self._of_container(sandbox, container) or named
            self._started[named] = (container, place)
            return place

    def see(self, key: EngineKey, identity: str, sandbox: Sandbox | None) -> tuple[View, ...]:
        """Note what an engine tells of a sandbox; returns what is now at each place that this concerns.

        :param identity: the sandbox's identity
        :param sandbox: None where the engine has none, or does not answer
        """
        named = Place(self._address(key), identity)
        with self._lock:
            before = self._known(key, identity)
            if sandbox is None:
                place = before or named
            else:
                # By an id that no other container has, a second address of one engine is known as such.
                place = self._of_container(identity, sandbox.id) or named
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

    def workspaces(self) -> frozenset[str]:
        """The workspaces of the sandboxes that the engines tell of."""
        return frozenset(place.workspace for place in self._views)

    def _view(self, place: Place, key: EngineKey) -> View:
        """What is at `place`, by the first key that shows it, so that this does not change without a reason.

        :param key: one for a place where nothing is
        """
        for first, sandbox in self._views.get(place, {}).items():
            return View(place, first, sandbox)
        self._views.pop(place, None)
        return View(place, key, None)

    def _find(self, key: EngineKey, named: Place) -> Place:
        if (known := self._known(key, named.sandbox)) is not None:
            return known
        container, place = self._started.get(named, ("", named))
        return place if container and self._shows(place, container) else named

    def _known(self, key: EngineKey, sandbox: str) -> Place | None:
        """Where the engine `key` showed the sandbox last."""
        for place, views in self._views.items():
            if place.sandbox == sandbox and key in views:
                return place
        return None

    def _of_container(self, sandbox: str, container: str) -> Place | None:
        if not container:
            return None
        started = [place for each, place in self._started.values() if each == container]
        shown = (place for place in self._views if self._shows(place, container))
        return next((each for each in (*shown, *started) if each.sandbox == sandbox), None)

    def _shows(self, place: Place, container: str) -> bool:
        """Whether an engine shows the container with this id at `place`."""
        return any(each.id == container for each in self._views.get(place, {}).values())
