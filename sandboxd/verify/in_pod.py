"""The verdict on a sandbox on a cluster. Attempts are made in the Pod itself, and judged without access to its node.

Any report of an escape is believed. That an attempt failed is only reported by a process inside, unless the API server
contradicts it. A failed connection only counts if another one was seen to work. Attempts that could only be judged on
the node are listed as not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from sandboxd.host.facts.engine import names_gvisor
from sandboxd.verify import attempts as attempt_list
from sandboxd.verify import gateway_events
from sandboxd.verify.attempts import JUDGED, ONLY
from sandboxd.verify.judge import Host, Judgement, judge
from sandboxd.verify.verdict import Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.egress.messages import Event
    from sandboxd.verify.attempts import Attempt
    from sandboxd.verify.inside import Report
    from sandboxd.verify.place import Place

CONTROL = "_positive"
"""The helper of `sandboxd.inside.escapes` whose connection has to succeed, as a control experiment."""

_CONTROL_RECORD = "-positive"
_NO_CONTROL = (
    "nothing could be reached, and as its plan lets it reach nothing at all, that a success would have been seen "
    "is not shown"
)
_SHARED_KERNEL = ("", "runc", "crun", "youki")
"""Handlers of RuntimeClasses under which containers share their node's kernel; '' stands for no RuntimeClass."""
_NAMESPACES = ("mnt", "pid", "net", "uts", "ipc")
_ASKED = {
    "assigned": ("name",),
    "denied": ("name", "door", "reason"),
    "reached": ("name", "door"),
}
"""The values of an event that say whether a name was let through."""
_UNREADABLE = "the gateway's log has an entry that cannot be read"
_NOT_OF_THE_NODE = frozenset({"another's"})


class Known(NamedTuple):
    """The evidence from outside of the Pod: the API server's answers, and the gateway's log of its connections."""

    place: Place
    profile: str
    boot_id: str
    """The boot id of the node's kernel; '' if it is not known."""
    is_gvisor: bool
    """Whether the Pod's RuntimeClass runs gVisor, judged by the name of its handler."""
    has_gateway: bool
    faults: Mapping[str, str]
    """Attempt -> the setting in the Pod's spec that lets it succeed."""
    open_seccomp: str
    """The reason, reported by the start, why the profile's seccomp filter is not in force; '' if it is."""
    allowed: frozenset[str]
    """Names of services in the cluster that the gateway's policy allows exactly."""
    passed: frozenset[str]
    """Attempts whose connection the gateway let through, by its log."""
    recorded: frozenset[str]
    """Attempts that appear in its log, let through or denied."""
    log_problem: str = ""
    """The reason why its log does not tell what it let through; '' if it does."""


class Logged(NamedTuple):
    """What a gateway's log says about the attempts: those whose connections it let through, and those that appear in
    it at all.

    `problem` is the reason why that may not be all, '' if it is.
    """

    passed: frozenset[str] = frozenset()
    recorded: frozenset[str] = frozenset()
    problem: str = ""


def attempts() -> tuple[Attempt, ...]:
    """The attempts to make in a Pod."""
    return tuple(a for a in attempt_list.every() if a.cluster in (JUDGED, ONLY))


def verdict(report: Report, known: Known) -> Verdict:
    """The judgement of every attempt, including those that cannot be made in a Pod."""
    judges = _Judges(report, known)
    results = []
    for attempt in attempt_list.every():
        judged = judges.judge(attempt)
        expected = attempt.expected["runsc" if judges.has_own_kernel else "runc"]
        results.append(
            Result(
                attempt.id, attempt.title, judged.outcome, expected, judged.evidence, attempt.group
            )
        )
    place = known.place
    return Verdict(
        place.pod,
        place.runtime_class or "the node's default",
        "own" if judges.has_own_kernel else "host",
        known.profile,
        tuple(results),
        "pod",
        place._replace(interpreter=str(report.identity.get("interpreter", ""))),
    )


def of_log(events: Iterable[object], denied: str) -> Logged:
    """What a gateway's log says about the attempts.

    :param events: from its log, and not yet checked
    :param denied: the denied name that the attempts looked up
    """
    passed, recorded = set(), set()
    problem = ""
    for event in events:
        if not _is_event(event):
            problem = _UNREADABLE
            continue
        for attempt, doors in gateway_events.DENIED_DOORS.items():
            if gateway_events.is_past_policy(event, denied, doors):
                passed.add(attempt)
            if gateway_events.is_recorded(event, denied, doors):
                recorded.add(attempt)
    return Logged(frozenset(passed), frozenset(recorded), problem)


def _is_event(event: object) -> TypeGuard[Event]:
    """Whether an entry of a log is an event, with all that is asked about it."""
    if not isinstance(event, dict):
        return False
    kind = event.get("event")
    return isinstance(kind, str) and all(
        isinstance(event.get(k), str) for k in _ASKED.get(kind, ())
    )


_ICMP = "NetworkPolicies are defined for TCP, UDP and SCTP alone, and this cluster's let ICMP pass"


class _Judges:
    """Judges of what was reported from inside, by what is known."""

    def __init__(self, report: Report, known: Known) -> None:
        self._report, self._known = report, known
        self._names_gvisor = names_gvisor(str(report.identity.get("version", "")))
        self._identity = self._believable_identity()
        own = str(self._identity.get("boot_id", ""))
        self._host = Host(frozenset(), self._boot_id_of_node(own), self._namespaces())
        self.has_own_kernel = bool(own) and bool(self._host.boot_id) and own != self._host.boot_id

    def judge(self, attempt: Attempt) -> Judgement:
        if attempt.cluster not in (JUDGED, ONLY):
            return Judgement("not-judged", attempt.cluster)
        record = self._report.records.get(attempt.id)
        if record is None:
            record = {"state": "unclear", "detail": self._report.reason or "it was not reported"}
        profile = "" if attempt.group else self._known.profile
        attempt = self._with_declared(attempt, record, profile)
        damage = self._damage(attempt)
        judged = judge(attempt, record, self._identity, self._host, profile, damage)
        judged = self._with_kernels_word(attempt, judged)
        fault = self._known.faults.get(attempt.id, "")
        if fault and judged.outcome != "escaped":
            return Judgement("escaped", f"{fault}, by the API server's word")
        if attempt.id == "pod-kernel" and self._has_the_nodes_kernel and self._known.is_gvisor:
            return Judgement("escaped", "its boot id is that of its node's kernel")
        return self._unless_blind(attempt, judged)

    @property
    def _has_the_nodes_kernel(self) -> bool:
        own = self._report.identity.get("boot_id")
        return bool(own) and own == self._known.boot_id

    def _boot_id_of_node(self, own: str) -> str:
        """The boot id of the node. Where it is not known, the Pod's own kernel counts as the node's, except gVisor's."""
        if self._known.boot_id:
            return self._known.boot_id
        return "another's" if self._is_gvisor_by_word else own

    @property
    def _is_gvisor_by_word(self) -> bool:
        return self._known.is_gvisor and self._names_gvisor

    def _believable_identity(self) -> Mapping[str, Any]:
        """The identity from inside, without the claim of an own kernel where the handler gives none."""
        identity = self._report.identity
        shares = self._known.place.handler in _SHARED_KERNEL
        if shares and self._known.boot_id and identity.get("boot_id") != self._known.boot_id:
            return {**identity, "boot_id": ""}
        return identity

    def _namespaces(self) -> dict[str, frozenset[str]]:
        """Kind of namespace -> ids of the node's: that inside, if the Pod's spec or a sign inside says that it is shared."""
        shared = f"{self._known.faults.get('pod-host-namespaces', '')} {self._signs()}"
        own = self._identity.get("namespaces") or {}
        words = {"pid": ("hostPID", "pid ("), "ipc": ("hostIPC", "ipc ("), "net": ("hostNetwork", "net ("),
                 "uts": ("hostNetwork", "uts ("), "mnt": ()}  # fmt: skip
        return {
            name: frozenset({str(own.get(name))})
            if any(word in shared for word in words[name])
            else _NOT_OF_THE_NODE
            for name in _NAMESPACES
        }

    def _signs(self) -> str:
        record = self._report.records.get("pod-host-namespaces") or {}
        return str(record.get("detail", "")) if record.get("state") == "done" else ""

    def _with_declared(self, attempt: Attempt, record: Mapping[str, Any], profile: str) -> Attempt:
        if attempt.judge == "surface" and (why := self._known.open_seccomp):
            return attempt._replace(declared={profile: why, "*": why})
        if attempt.id == "icmp" and self._known.has_gateway:
            return attempt._replace(declared={"*": _ICMP})
        if attempt.id == "pod-proxy-name" and record.get("target") in self._known.allowed:
            why = "a rule of the gateway's policy allows that name"
            return attempt._replace(declared={"*": why})
        return attempt

    def _damage(self, attempt: Attempt) -> tuple[str, ...]:
        is_passed = attempt.id in self._known.passed
        return ("the gateway let it through, by its own log",) if is_passed else ()

    def _with_kernels_word(self, attempt: Attempt, judged: Judgement) -> Judgement:
        """`judged`, with whose word it is that the kernel is not the node's."""
        by_kernel = attempt.judge in ("kernel", "namespace", "surface")
        is_word = by_kernel and not self._known.boot_id and self._is_gvisor_by_word
        if is_word and judged.outcome == "held" and judged.evidence.endswith("own kernel"):
            return judged._replace(evidence=f"{judged.evidence}: gVisor's, by its own word")
        return judged

    def _unless_blind(self, attempt: Attempt, judged: Judgement) -> Judgement:
        """`judged`, but not as held where nothing shows that a success would have been seen."""
        if judged.outcome != "held" or not attempt.group:
            return judged
        if not self._known.has_gateway:
            return Judgement("not-judged", _NO_CONTROL)
        control = self._report.records.get(_CONTROL_RECORD) or {}
        if control.get("state") != "done":
            why = str(control.get("detail", "")) or "it was not tried"
            return Judgement(
                "inconclusive",
                f"its gateway was not reached either ({why[:100]}), so that nothing else was shows nothing",
            )
        if attempt.judge == "arrival" and (problem := self._known.log_problem):
            return Judgement("inconclusive", f"not checked: {problem}")
        if attempt.judge == "arrival" and attempt.id not in self._known.recorded:
            return Judgement("inconclusive", "the gateway's log has no line of it")
        return judged
