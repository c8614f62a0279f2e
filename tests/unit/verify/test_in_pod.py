"""Verdicts on Pods: what is not seen is not held, and what is said for the worse counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sandboxd.engine.payload import interpreter
from sandboxd.verify import attempts, gateway_events, in_pod, inside
from sandboxd.verify.document import document
from sandboxd.verify.inside import Report
from sandboxd.verify.place import Place
from sandboxd.verify.verdict import Verdict

NODE, OTHER = "boot-of-the-node", "another-boot"
GVISOR = "Linux version 4.19.0-gvisor #1"
PLACE = Place("team", "https://10.0.0.1", "shop", "pod-1", "uid-1", "n1", "gvisor", "runsc", "containerd://2", "6.1")  # fmt: skip
KNOWN = in_pod.Known(
    PLACE, "dev", NODE, True, True, {}, "", frozenset(), frozenset(), frozenset(gateway_events.DENIED_DOORS)
)  # fmt: skip
STOPPED: Mapping[str, Any] = {"state": "stopped", "detail": "no way"}
DONE: Mapping[str, Any] = {"state": "done", "detail": "a way"}


def verdict(
    known: in_pod.Known = KNOWN,
    boot_id: str = OTHER,
    version: str = GVISOR,
    control: Mapping[str, Any] = DONE,
    **records: Mapping[str, Any],
) -> Verdict:
    """All attempts were stopped but `records`."""
    spoken = {attempt.id: STOPPED for attempt in in_pod.attempts()}
    spoken |= {name.replace("_", "-"): record for name, record in records.items()}
    identity = {
        "boot_id": boot_id,
        "version": version,
        "namespaces": {"pid": "pid:[1]", "net": "net:[2]"},
        "interpreter": "our Python",
    }
    return in_pod.verdict(Report(identity, {**spoken, "-positive": control}, ""), known)


def outcome(result: Verdict, name: str) -> tuple[str, str]:
    found = next(each for each in result.results if each.id == name)
    return found.outcome, found.evidence


def test_a_sandbox_that_stops_all_holds_and_says_what_nobody_judged() -> None:
    result = verdict()
    assert result.held and result.exit_code == 0 and result.kernel == "own"
    assert {r.id for r in result.results} == {a.id for a in attempts.every()}
    unseen = {r.id for r in result.of("not-judged")}
    assert {"host-file", "pin-write", "gateway-rights", "memory-limit"} <= unseen
    assert not unseen & {a.id for a in in_pod.attempts()}
    written = document(result, (), "now", 1.0, "6.1")
    assert written["cluster"]["uid"] == "uid-1" and written["counts"]["not-judged"] == len(unseen)
    assert written["cluster"]["interpreter"] == "our Python"


def test_an_attempt_of_a_cluster_alone_is_not_made_on_this_machine() -> None:
    here = {a.id for a in attempts.load()}
    only = {a.id for a in attempts.every()} - here
    assert only and all(name.startswith("pod-") for name in only)
    assert only <= {a.id for a in in_pod.attempts()}


@pytest.mark.parametrize("name", ["pod-api-server", "cloud-metadata", "pod-proxy-name"])
def test_a_failed_connection_alone_shows_nothing(name: str) -> None:
    silent = verdict(control={"state": "stopped", "detail": "timed out"})
    assert outcome(silent, name)[0] == "inconclusive" and silent.exit_code == 4
    assert "timed out" in outcome(silent, name)[1]
    closed = verdict(KNOWN._replace(has_gateway=False))
    assert outcome(closed, name)[0] == "not-judged" and closed.exit_code == 0
    reached = verdict(KNOWN._replace(has_gateway=False), **dict[str, Any]({name: DONE}))
    assert outcome(reached, name) == ("escaped", "a way") and reached.exit_code == 6


def test_no_report_is_no_proof() -> None:
    result = in_pod.verdict(Report({}, {}, "no Python runs in it"), KNOWN)
    assert result.exit_code == 4 and not result.of("held")
    assert outcome(result, "mount-tmpfs") == ("inconclusive", "no Python runs in it")


def test_the_gateways_log_decides_what_it_let_through() -> None:
    unseen = verdict(KNOWN._replace(recorded=frozenset()))
    assert outcome(unseen, "proxy-denied-name")[0] == "inconclusive"
    passed = verdict(KNOWN._replace(passed=frozenset({"proxy-denied-name"})))
    assert outcome(passed, "proxy-denied-name") == (
        "escaped",
        "the gateway let it through, by its own log",
    )


@pytest.mark.parametrize(
    ("event", "passed", "recorded"),
    [
        ({"event": "denied", "name": "x", "door": "dns", "reason": "no-rule"}, set(), {"dns-denied-name"}),
        ({"event": "denied", "name": "x", "door": "socks", "reason": "address"}, {"socks-denied-name"}, {"socks-denied-name"}),
        ({"event": "reached", "name": "x", "door": "connect"}, {"proxy-denied-name"}, {"proxy-denied-name"}),
        ({"event": "assigned", "name": "x"}, {"dns-denied-name"}, set()),
        ({"event": "denied", "name": "y", "door": "dns", "reason": "no-rule"}, set(), set()),
        ({"event": "ready"}, set(), set()),
    ],
)  # fmt: skip
def test_lines_of_a_log(event: dict[str, Any], passed: set[str], recorded: set[str]) -> None:
    assert in_pod.of_log([event], "x") == (passed, recorded, "")


@pytest.mark.parametrize(
    "entry",
    [
        None, [], ["event"], "denied", 7,
        {}, {"event": ["x"], "name": {}}, {"event": {}}, {"event": "denied"},
        {"event": "reached", "name": "x"}, {"event": "assigned", "name": None},
        {"event": "denied", "name": "x", "door": ["dns"], "reason": "no-rule"},
        {"event": "denied", "name": "x", "door": "dns"},
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_leaves_open_what_was_let_through(entry: object) -> None:
    whole = {"event": "reached", "name": "x", "door": "socks"}
    for events in ([entry, whole], [whole, entry]):
        passed, recorded, problem = in_pod.of_log(events, "x")
        assert (passed, recorded) == ({"socks-denied-name"}, {"socks-denied-name"})
        assert problem == "the gateway's log has an entry that cannot be read"
    known = KNOWN._replace(log_problem=problem)
    assert outcome(verdict(known), "proxy-denied-name") == (
        "inconclusive",
        f"not checked: {problem}",
    )
    found = verdict(known._replace(passed=passed))
    assert outcome(found, "socks-denied-name")[0] == "escaped"


@pytest.mark.parametrize(
    ("known_boot", "boot_id", "version", "handler", "expected", "kernel"),
    [
        (NODE, NODE, "Linux version 6.1", "", "escaped", "host"),
        (NODE, OTHER, GVISOR, "runsc", "held", "own"),
        # Nobody may read nodes: the kernel's own word and the class have to agree.
        ("", OTHER, GVISOR, "runsc", "held", "own"),
        ("", OTHER, "Linux version 6.1", "runsc", "escaped", "host"),
        ("", OTHER, GVISOR, "", "escaped", "host"),
        # A claim that the handler cannot make true.
        (NODE, OTHER, "Linux version 6.1", "", "inconclusive", "host"),
        (NODE, OTHER, GVISOR, "runc", "inconclusive", "host"),
        (NODE, OTHER, GVISOR, "", "inconclusive", "host"),
        (NODE, OTHER, "Linux version 6.1", "kata", "held", "own"),
    ],
)
def test_the_boot_id_and_the_class_decide_whose_kernel_it_is(
    known_boot: str, boot_id: str, version: str, handler: str, expected: str, kernel: str
) -> None:
    known = KNOWN._replace(
        boot_id=known_boot, is_gvisor=handler == "runsc", place=PLACE._replace(handler=handler)
    )
    result = verdict(known, boot_id, version, bpf=DONE)
    assert outcome(result, "bpf")[0] == expected, outcome(result, "bpf")
    assert result.kernel == kernel
    if known_boot == "" and expected == "held":
        assert outcome(result, "bpf")[1].endswith("gVisor's, by its own word")


def test_a_class_whose_kernel_is_the_nodes_is_found_out() -> None:
    result = verdict(boot_id=NODE)
    assert outcome(result, "pod-kernel") == ("escaped", "its boot id is that of its node's kernel")


def test_what_the_api_server_says_counts_against_the_word_inside() -> None:
    faults = {"pod-capabilities": "the container `workspace` is privileged"}
    result = verdict(KNOWN._replace(faults=faults))
    assert outcome(result, "pod-capabilities") == (
        "escaped",
        "the container `workspace` is privileged, by the API server's word",
    )


@pytest.mark.parametrize(
    ("records", "faults", "expected"),
    [
        ({}, {}, "held"),
        ({"pod_host_namespaces": {"state": "done", "detail": "net (10.0.0.9 is its own)"}}, {}, "escaped"),
        ({}, {"pod-host-namespaces": "the Pod has `hostNetwork`"}, "escaped"),
        ({"pod_host_namespaces": {"state": "done", "detail": "pid (x)"}}, {}, "held"),
    ],
)  # fmt: skip
def test_a_namespace_is_the_nodes_where_spec_or_sign_say_so(
    records: dict[str, Any], faults: dict[str, str], expected: str
) -> None:
    shared = KNOWN._replace(faults=faults, is_gvisor=False, place=PLACE._replace(handler="runc"))
    result = verdict(shared, NODE, "Linux version 6.1", raw_socket=DONE, **records)
    assert outcome(result, "raw-socket")[0] == expected


def test_calls_that_a_named_downgrade_leaves_open_are_residual() -> None:
    shared = KNOWN._replace(is_gvisor=False, place=PLACE._replace(handler=""))
    closed = verdict(shared, NODE, "Linux version 6.1", bpf=DONE)
    assert outcome(closed, "bpf")[0] == "escaped"
    named = shared._replace(open_seccomp="the filter is the node's own")
    opened = verdict(named, NODE, "Linux version 6.1", bpf=DONE)
    assert outcome(opened, "bpf")[0] == "residual" and opened.exit_code == 0


def test_a_name_of_the_cluster_that_a_rule_allows_is_open_on_purpose() -> None:
    went = {"state": "done", "detail": "the proxy leads to db.svc", "target": "db.svc"}
    assert outcome(verdict(pod_proxy_name=went), "pod-proxy-name")[0] == "escaped"
    allowed = verdict(KNOWN._replace(allowed=frozenset({"db.svc"})), pod_proxy_name=went)
    assert outcome(allowed, "pod-proxy-name")[0] == "residual"


class Pod:
    """Answers each command with a code and what a runner writes, `NONCE` standing for its nonce."""

    def __init__(self, *answers: tuple[int, str] | Exception) -> None:
        self.answers = list(answers)
        self.commands: list[list[str]] = []

    def __call__(
        self, command: list[str], data: bytes, seconds: float, write: Callable[[int, bytes], None]
    ) -> int:
        self.commands.append(command)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        nonce = command[-1]
        if nonce == "-":
            nonce = "sandboxd-" + data.decode().partition("sandboxd-")[2][:16]
        write(1, answer[1].replace("NONCE", nonce).encode())
        return answer[0]


IDENTITY = json.dumps({"kind": "identity", "namespaces": {}})
WELL = (
    f"NONCE {IDENTITY}\n"
    'NONCE {"kind": "attempt", "name": "bpf", "state": "stopped"}\n'
    'NONCE {"kind": "end"}\n'
)


def made(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.setattr(interpreter, "archive", lambda *_: b"tar")
    return inside.make_by(pod, in_pod.attempts(), {}, lambda *_: None, in_pod.CONTROL)


def test_our_python_makes_the_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    report = made(Pod((0, WELL)), monkeypatch)
    assert report.identity["interpreter"] == "our Python" and report.reason == ""
    assert report.records["bpf"]["state"] == "stopped"


def test_the_images_python_stands_in_where_ours_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    report = made(Pod((97, ""), (0, WELL)), monkeypatch)
    assert report.identity["interpreter"] == "the image's Python"
    neither = made(Pod((97, ""), (127, "sh: python3: not found\n")), monkeypatch)
    assert not neither.records
    assert neither.reason.startswith("no Python runs in it: our Python: no folder inside")


def test_attempts_that_do_not_end_are_said_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    report = made(Pod(TimeoutError(), TimeoutError()), monkeypatch)
    assert "did not finish within 240 s" in report.reason


def test_icmp_that_policies_do_not_speak_of_is_residual() -> None:
    passes = verdict(icmp={"state": "done", "detail": "10.0.0.1 echoes"})
    assert outcome(passes, "icmp")[0] == "residual" and passes.exit_code == 0
    assert "let ICMP pass" in outcome(passes, "icmp")[1]
