"""Supervises one gateway for the daemon: reads its events, sends it its policy, and restarts it."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.daemon.gateway_memory import Memory
from sandboxd.daemon.rights_loop import FAULT, STUCK_SECONDS, FailureTeller, RightsLoop
from sandboxd.egress.ledger import Ledger
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.life import gateway, running_gateway
from sandboxd.life.gateway_channel import Channel, attach
from sandboxd.life.running_gateway import past
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.operations import gateway as operation
from sandboxd.operations import gateway_start, recording
from sandboxd.policy import approvals, unreadable

if TYPE_CHECKING:
    from sandboxd.egress.ledger import Totals
    from sandboxd.egress.messages import Event
    from sandboxd.engine.client import Engine
    from sandboxd.operations.gateway import Followed

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_HEALTHY_SECONDS = 10.0
"""A gateway that lived so long was no failed start."""
_MOST_TRIPPED = 20
"""Names of tripwires that one gateway's attendant records."""
_NOTE_SECONDS, _FIRST_AGAIN, _LONGEST_AGAIN = 0.2, 1.0, 30.0
"""How long the loop waits to note that an approval was used, and until it tries again: longer each time."""

_STUCK = (
    f"a look at what it may have goes on for more than {STUCK_SECONDS:g} s, as its engine, a disk or another "
    "sandboxd does not answer"
)

log = logging.getLogger(__name__)


class EngineAccess(NamedTuple):
    """Functions that return the engine of a gateway and the user's environment variables.

    They are called each time, since a docker context may have been edited.
    """

    engine: Callable[[], Engine]
    environ: Callable[[], Mapping[str, str]]


class Stopped(Exception):
    """Raised in the attendant's thread when it was told to end."""


class Attendant:
    """Supervises the gateway of one running sandbox, in a thread of its own.

    :param changed: called in that thread when the gateway reported something new
    :param mended: called in that thread when the gateway was restarted and has its policy
    :param failed: called with a message for a person when the gateway cannot be run or updated, in any thread
    """

    def __init__(
        self,
        sandbox: str,
        access: EngineAccess,
        memory: Memory,
        changed: Callable[[], None],
        failed: Callable[[str], None],
        mended: Callable[[], None] = lambda: None,
    ) -> None:
        self._sandbox = sandbox
        self._access = access
        self._memory = memory
        self._changed = changed
        self._failed = failed
        self._mended = mended
        self._rights = RightsLoop(self._act)
        self._failure, self._ends = FailureTeller(self._tell), 0.0
        self._unnoted, self._again = FailureTeller(self._tell), _FIRST_AGAIN
        self._behind = ""
        self.shut = ""
        """Why the gateway lets nothing through though its config has names, for a person; '' where that is not so."""
        self._stop = threading.Event()
        self._has_past = threading.Event()
        self._channel: Channel | None = None
        self._tripped: set[str] = set()
        self._losses: set[str] = set()
        """Kinds of attempts whose first loss is recorded."""
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)

    def start(self) -> None:
        """Start the thread that supervises, and the loop that sends policies."""
        self._thread.start()
        self._rights.start()

    @property
    def behind(self) -> str:
        """Why the gateway may still allow more than it should, for a person; '' where it does not."""
        return _STUCK if self._rights.is_stuck() else self._behind

    def is_alive(self) -> bool:
        """Whether the supervising thread runs."""
        return self._thread.is_alive()

    def is_ready(self) -> bool:
        """Whether the thread runs and has read the events from before it attached."""
        return self.is_alive() and self._has_past.is_set()

    def stop(self) -> None:
        """Have the thread end soon; the gateway keeps running."""
        self._stop.set()
        self._rights.stop()
        channel = self._channel
        if channel is not None:
            channel.close()

    def follow(self) -> None:
        """Compute the sandbox's present policy and send it to the gateway, as `operations.gateway.follow`.

        Names keep their synthetic addresses.

        :raises SandboxdError: the gateway could not be updated
        """
        followed = operation.follow(
            self._access.engine(),
            self._sandbox,
            self._access.environ(),
            addresses=self._memory.known(),
        )
        if followed is None:
            return
        self._memory.wanted, self._ends = followed.version, followed.ends
        self.shut = followed.problem if followed.is_shut else ""
        if followed.problem:
            self._tell(f"its gateway {_what_it_has(followed)}: {followed.problem}")
        if followed.no_login:
            self._tell(f"its gateway cannot log in at the proxy: {followed.no_login}")
        if followed.no_credentials:
            self._tell(f"its gateway uses no credential: {followed.no_credentials}")

    def ledger(self) -> Ledger:
        """The events of the gateway so far."""
        with self._memory.lock:
            return copy.deepcopy(self._memory.ledger)

    def answer(self, question: int, why: str) -> None:
        """Deny a question from inside. To allow it, save an approval and call `follow`.

        :param question: its number, `ledger.Question.id`
        :param why: the reason that whoever asked is shown; '' for none
        """
        present = running_gateway.gateway_of(self._access.engine(), self._sandbox)
        if present is not None:
            present.answer(question, why)

    def wake(self) -> None:
        """Call `follow` soon in a thread of its own; a failure is reported by `failed`."""
        self._rights.wake()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._attend()
                if self._stop.is_set() or not self._mend():
                    return
            except Stopped:
                return
            except SandboxdError as error:
                self._tell(f"its gateway does not run: {error.message}")
            except Exception:
                log.exception("attending to the gateway of `%s` failed", self._sandbox)
            pause = _next_pause(pause, time.monotonic() - began)
            self._stop.wait(pause)

    def _attend(self) -> None:
        """Read the gateway's events until it ends; returns at once where none runs."""
        engine = self._access.engine()
        present = gateway.container_of(engine, self._sandbox)
        if present is None or present.state != "running":
            return
        began = engine.inspect(present.id)["State"].get("StartedAt")
        after = self._memory.begin(f"{present.id} {began}")
        with attach(engine, present.id, self._sandbox) as channel:
            self._channel = channel
            if self._stop.is_set():
                return
            for event in past(channel, after):
                self._take(event)
            self._has_past.set()
            # It may have none (started by hand, or by somebody who was killed), or one of before a policy was made stricter.
            self.wake()
            for event in channel.events():
                self._take(event)

    def _act(self) -> float:
        """Make what the gateway has what it may have; returns when a part of that ends, 0 for never.

        :raises EnvironmentFailure: it does not take it
        """
        try:
            self._ends = 0.0
            self.follow()
            self._give_credentials(self._access.engine())
        except SandboxdError as error:
            self._behind = error.message if operation.leaves_too_much(error) else ""
            self._failure.failed(f"its gateway has not what it may have now: {error.message}")
            if isinstance(error, EnvironmentFailure) and not self._stop.is_set():
                raise
            # What cannot be read is given up after a while, with or without a further save.
            self._ends = time.time() + unreadable.LONGEST_SECONDS
        except Exception:
            self._behind = FAULT
            self._failure.failed(f"its gateway has not what it may have now: {FAULT}")
            raise
        else:
            self._failure.succeeded()
            self._behind = ""
        return self._ends_with_uses()

    def _ends_with_uses(self) -> float:
        """When there is more to do: at the end of an answer, or soon where a use could not be noted; 0 for never."""
        if why := self._note_uses(_NOTE_SECONDS):
            self._unnoted.failed(f"an approval was used, and could not be taken away: {why}")
            again = time.time() + self._again
            self._again = min(2 * self._again, _LONGEST_AGAIN)
            return min(self._ends, again) if self._ends else again
        self._unnoted.succeeded()
        self._again = _FIRST_AGAIN
        return self._ends

    def _give_credentials(self, engine: Engine) -> None:
        """Send the credentials to a gateway that was started again by somebody else.

        :raises EnvironmentFailure: it does not take them
        """
        if not self._memory.lacks_credentials():
            return
        container = operation.container_of_up(engine, self._sandbox)
        if (credentials := self._memory.credentials_of(container)) is not None:
            running_gateway.push_credentials(engine, self._sandbox, credentials)

    def _take(self, event: Event) -> None:
        before = self._memory.ledger.totals
        self._memory.take(event)
        self._record_loss(before, event["time"])
        if event["event"] == "denied" and event["reason"] == "canary":
            self._record_tripwire(event["name"], event["port"], event.get("detail", ""))
        is_word = event["event"] in ("policy", "refused") and self._has_past.is_set()
        if is_word and not self._memory.has_what_is_wanted():
            # Somebody else gave it something, was killed in the middle of its line, or two wrote at once.
            self.wake()
        if event["event"] == "used":
            self._memory.add_use(event["once"])
            if self._note_uses(0.0):
                self.wake()
        if event["event"] != "state":
            self._changed()

    def _record_tripwire(self, name: str, port: int, detail: str) -> None:
        """Record the first use of each name only: whoever is inside can try it for ever."""
        if name in self._tripped or len(self._tripped) >= _MOST_TRIPPED:
            return
        self._tripped.add(name)
        environ = self._access.environ()
        if problem := recording.tripped(environ, self._sandbox, name, port, detail):
            log.warning("`%s`: %s", self._sandbox, problem)

    def _record_loss(self, before: Totals, time: float) -> None:
        """Record once for each kind that some attempts have no line: a flood may be there to hide others."""
        ledger = self._memory.ledger
        after = ledger.totals
        kinds = {
            "reached": after.lost_reached > before.lost_reached,
            "tripwire": after.lost_tripwires > before.lost_tripwires,
            # Verify makes many attempts at once, and none of the other kinds.
            "denied": _lost_denied(after) > _lost_denied(before) and not ledger.is_of_verify(time),
        }
        new = {kind for kind, is_lost in kinds.items() if is_lost} - self._losses
        if not new:
            return
        self._losses |= new
        if problem := recording.lost(self._access.environ(), self._sandbox, after):
            log.warning("`%s`: %s", self._sandbox, problem)

    def _note_uses(self, seconds: float) -> str:
        """Note which approvals for one connection were used, as the next gateway must not have them; returns why some
        could not be noted so far, '' where all are.

        :param seconds: how long another process that writes the answers is waited for
        """
        workspace = workspace_of(self._sandbox)
        if not (uses := self._memory.uses()):
            return ""
        try:
            environ = self._access.environ()
            approvals.use_up(environ, workspace, uses, seconds=seconds)
        except SandboxdError as error:
            return error.message
        for serial in uses:
            self._memory.drop_use(serial)
        return ""

    def _mend(self) -> bool:
        """Restart the gateway while its sandbox runs; False if the sandbox does not run any more."""
        is_mended = gateway_start.mend(
            self._access.engine(),
            self._sandbox,
            self._access.environ(),
            addresses=self._memory.known(),
            secrets_of=self._memory.credentials_of,
            check=self._check,
        )
        if is_mended:
            log.info("the gateway of `%s` runs again", self._sandbox)
            self._mended()
        return is_mended

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _tell(self, text: str) -> None:
        log.warning("`%s`: %s", self._sandbox, text)
        if not self._stop.is_set():
            self._failed(text)


def _what_it_has(followed: Followed) -> str:
    """What a gateway has that cannot have what sandboxd.toml asks for, in words."""
    if followed.is_shut:
        return "lets nothing through"
    if followed.is_unread:
        return "keeps what it had, less what was taken back since"
    return "has no more than the rules of the profile"


def _lost_denied(totals: Totals) -> int:
    return totals.lost - totals.lost_reached - totals.lost_tripwires


def _next_pause(pause: float, lived: float) -> float:
    return _FIRST_PAUSE if lived > _HEALTHY_SECONDS else min(pause * 2, _LONGEST_PAUSE)
