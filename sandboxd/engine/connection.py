"""The connection to one engine: made with the first request, with a time limit for each answer."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from sandboxd.engine.address import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.engine.contexts import Identity
    from sandboxd.engine.session import Session

# A healthy engine answers a question in milliseconds; a person waits this long before wondering.
ANSWER_SECONDS = 10.0


class Connection:
    """The connection to one engine. Nothing is loaded or requested before the first call. Thread-safe."""

    def __init__(self, identity: Identity, answer_seconds: float = ANSWER_SECONDS) -> None:
        parse(identity.host)
        self.identity = identity
        self.host = identity.host
        self.is_local = identity.is_local
        self._seconds = answer_seconds
        self._sdk_session: Session | None = None
        self._making = threading.Lock()

    @contextlib.contextmanager
    def asking(
        self, seconds: float | None = None, accepted: tuple[int, ...] = ()
    ) -> Iterator[Session]:
        """The SDK's session for the requests of one call; its errors are raised as `EngineFailure`.

        :param seconds: the time limit for each piece of an answer; None for the usual one
        :param accepted: HTTP statuses that are no failure; on one of them the `with` block just ends
        """
        limit = self._seconds if seconds is None else seconds
        try:
            session = self._session()
            with session.within(limit):
                yield session
        except Exception as error:
            from sandboxd.engine.session import failure_of

            failure = failure_of(error, self.host, limit)
            if failure is None:
                raise
            if failure.case not in [str(status) for status in accepted]:
                raise failure from None

    def is_podman(self) -> bool:
        """Whether the engine is Podman's service, by the header `Server` of its answers."""
        with self.asking() as session:
            return session.is_podman

    def _session(self) -> Session:
        with self._making:
            if self._sdk_session is None:
                from sandboxd.engine.session import Session

                self._sdk_session = Session(self.identity, self._seconds)
            return self._sdk_session


def json_object(value: object) -> dict[str, Any]:
    """`value`, checked to be a JSON object.

    :raises ValueError: it is not an object
    """
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def json_objects(value: object) -> list[dict[str, Any]]:
    """`value`, checked to be a list of JSON objects.

    :raises ValueError: it is not such a list
    """
    if not isinstance(value, list):
        raise ValueError("not a JSON list")
    return [json_object(item) for item in value]


def load() -> None:
    """Import the SDK now, so that the first call of an engine does not wait for it."""
    from importlib import import_module

    import_module("sandboxd.engine.session")
