"""The durations of a start: spans by part and name, nested in each other, or in parallel to the start.

The timeline of a start is the current one of its context, as in tracing: code that works for a start calls
`span`, and no timeline is passed through. Without a current one that costs a look-up."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Part = Literal["build", "gateway", "engine", "runtime", "copy", "services", "hooks", "ours"]
"""What a span's time was spent on: `engine` is calls of its API, `runtime` the start of the workspace's container,
`ours` all else.
"""


class Span(NamedTuple):
    """One measured duration. `began` and `ended` are milliseconds since the start began."""

    part: Part
    name: str
    began: float
    ended: float
    depth: int
    """The number of spans that enclose it."""
    is_beside: bool
    """Whether it ran in another thread, in parallel to the start's own."""

    @property
    def milliseconds(self) -> float:
        """The length of the span in milliseconds."""
        return self.ended - self.began


class Timing(NamedTuple):
    """The measurements of a whole start."""

    milliseconds: float
    parts: Mapping[str, float]
    """Milliseconds by `Part` that the start's own thread worked or waited; their sum is `milliseconds`."""
    spans: tuple[Span, ...]
    """All spans, in the order in which they began."""


class Timeline:
    """The spans of one start, from threads that share its context.

    :param clock: seconds that never run backwards
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._thread = threading.get_ident()
        self._spans: list[Span] = []
        self._open = threading.local()

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """Make this the current timeline of this context and its copies, in which `span` records, until the block
        ends.
        """
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @contextlib.contextmanager
    def span(self, part: Part, name: str) -> Iterator[None]:
        """Record how long the block takes, even if it raises."""
        depth = getattr(self._open, "depth", 0)
        self._open.depth = depth + 1
        began = self._now()
        try:
            yield
        finally:
            self._open.depth = depth
            is_beside = threading.get_ident() != self._thread
            self._spans.append(Span(part, name, began, self._now(), depth, is_beside))

    def timing(self) -> Timing:
        """All measurements so far."""
        whole = self._now()
        spans = tuple(sorted(self._spans, key=lambda span: (span.began, span.depth)))
        parts: dict[str, float] = {}
        for span in spans:
            if not span.is_beside and not span.depth:
                parts[span.part] = parts.get(span.part, 0.0) + span.milliseconds
        parts["ours"] = parts.get("ours", 0.0) + whole - sum(parts.values())
        return Timing(whole, parts, spans)

    def _now(self) -> float:
        return (self._clock() - self._began) * 1000


_CURRENT: contextvars.ContextVar[Timeline | None] = contextvars.ContextVar("timeline", default=None)


def span(part: Part, name: str) -> contextlib.AbstractContextManager[None]:
    """Record in the current timeline how long the block takes; without a current timeline nothing is recorded."""
    timeline = _CURRENT.get()
    return contextlib.nullcontext() if timeline is None else timeline.span(part, name)


def thread(target: Callable[[], None], name: str) -> threading.Thread:
    """A daemon thread, not yet started, whose spans are recorded as parallel to those of this context."""
    context = contextvars.copy_context()
    return threading.Thread(target=context.run, args=(target,), name=name, daemon=True)
