"""The gateway of a sandbox on a cluster, a Pod: its policy is in a ConfigMap, its events are in its log."""

from __future__ import annotations

import contextlib
import copy
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.audit.record import RecordFailure
from sandboxd.backends.kubernetes import api, failures, gateway_pods, logs, records, running
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.egress import layout
from sandboxd.egress.broker_wire import credentials_to_json
from sandboxd.egress.ledger import Ledger
from sandboxd.egress.messages import event_of
from sandboxd.egress.wire import version as version_of
from sandboxd.errors import EnvironmentFailure
from sandboxd.operations import _present_rights, rights_steps
from sandboxd.operations.on_cluster import _names
from sandboxd.plan.writers import kubernetes
from sandboxd.policy.reconcile import Given, GiveNames, TakeNames
from sandboxd.state.given_rights import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.messages import Event
    from sandboxd.egress.policy import Policy
    from sandboxd.policy.gateway_rights import GatewayRights
    from sandboxd.policy.reconcile import Step
    from sandboxd.policy.rights import Rights
    from sandboxd.state.given_rights import GivenRights

_TAKES_SECONDS = 120.0
"""Even a kubelet that ignores the annotation `_MARK` updates a mounted ConfigMap within a minute or two."""
_LOOK_SECONDS = 0.5
_LONGEST_LINE = 1 << 20
_LATEST = 1 << 33
"""Seconds since 1970, in the year 2242; a later time in a log is not valid."""
_GIVE_SECONDS = 30.0
_KEEP = (
    "import os, sys; path = sys.argv[1]; file = os.open(path + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600); "
    "os.write(file, sys.stdin.buffer.read()); os.close(file); os.rename(path + '.new', path)"
)
_CLIENT_SECONDS = 30.0
_FOREIGN = -1
"""Stands for the version of a policy that nobody here wrote."""
_RESOLVE = "import socket, sys; print(*{e[4][0] for e in socket.getaddrinfo(sys.argv[1], None, socket.AF_INET)})"
_MARK = "dev.sandboxd.policy"
"""An annotation of the gateway's Pod: its kubelet looks at ConfigMaps at once when the Pod changes. Source:
https://kubernetes.io/docs/tutorials/configuration/updating-configuration-via-a-configmap/."""


class _Brought(NamedTuple):
    """What was applied for a gateway."""

    rights: GatewayRights | None
    """What it is to have now; None if it had that before."""
    documents: Sequence[dict[str, Any]] = ()
    """The objects that say so."""
    problem: RecordFailure | None = None
    """Why not all that it may have was given; None if all was."""


class PodGateway:
    """The gateway of a sandbox on a cluster, an `operations.egress.gateways.Gateway`; events read once are kept."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._ledger = Ledger()
        self._policy: tuple[str, int, str] = ("", 0, "")
        """Of the last event about a policy: the event, its version, and why it was refused."""
        self._pod, self._run, self._since = "", 0.0, 0
        self._held, self._mark_held = "", ""
        """The mark of the credentials that it said to have, and of those that it was given."""

    def policy(self) -> Policy | None:
        """The policy in its ConfigMap; None if there is no ConfigMap, or no valid policy in it."""
        name = f"{self._target.pod}-gateway-policy"
        config_map = self._target.cluster.get(api.CONFIG_MAP, name)
        return kubernetes.policy_of(config_map) if config_map is not None else None

    def refresh(self, *, is_start: bool = False) -> None:
        """As `follow`, but wait only if the gateway is given something else than it has.

        :param is_start: whether the user starts the sandbox by the config of now, so that it bounds later edits
        """
        self._end(self._bring(is_start=is_start))

    def follow(self) -> None:
        """Make the gateway enforce what its sandbox may have now, and close other connections; return when that is in
        force. As on this machine, what is taken back waits for nothing, and what is new is recorded before it is given.

        :raises UsageError: the rights cannot be read; the gateway keeps those that it has
        :raises RecordFailure: new rights cannot be recorded, and are not given; revoked ones were removed
        :raises EnvironmentFailure: it does not accept them, or not within the time limit
        """
        brought = self._bring(is_start=False)
        present = self.policy()
        if brought is not None and brought.rights is None and present is not None:
            self._wait(present.version)
        self._end(brought)

    def _end(self, brought: _Brought | None) -> None:
        """Return when what was brought is in force."""
        if brought is not None and brought.rights is not None:
            self._wait(brought.rights.policy.version)
        if brought is not None and brought.problem is not None:
            raise brought.problem

    def _bring(self, *, is_start: bool) -> _Brought | None:
        """Apply what the gateway may have now, and note it; None if it is to have no policy."""
        target = self._target
        place = (target.environ, target.cluster.context, target.pod)
        with records.locked(*place):
            record, present = records.recall(*place), self.policy()
            before = from_json(record.given) if record is not None and record.given else None
            uid = record.uid if record is not None else ""
            keeps = present is not None and bool(present.credentials)
            now = _names.now(target, uid, None if is_start else before, keeps_secrets=keeps)
            if now is None or (present is None and not now[0].has_gateway):
                return None
            wanted, digest = now
            brought = self._make(wanted, _given(present))
            has = brought.rights or wanted.gateway
            if record is not None and has is not None:
                given = _present_rights.to_keep(before, digest, wanted, has)
                self._note(record, brought.documents, given)
        return brought

    def _make(self, wanted: Rights, given: Given) -> _Brought:
        rights: GatewayRights | None = None
        documents: Sequence[dict[str, Any]] = ()

        def do(step: Step) -> None:
            nonlocal rights, documents
            if isinstance(step, TakeNames | GiveNames):
                rights, namespace = step.rights, self._target.cluster.context.namespace
                documents = kubernetes.of_policy(rights.policy, self._target.pod, namespace)
                for document in documents:
                    self._target.cluster.apply(document)

        try:
            rights_steps.bring(wanted, given, self._target.environ, do)
        except RecordFailure as error:
            return _Brought(rights, documents, error)
        return _Brought(rights, documents)

    def require_client(self, address: str) -> None:
        """Check that the gateway will serve the sandbox: it knows its client by a headless Service.

        :param address: of the sandbox's Pod
        :raises EnvironmentFailure: the cluster's name server does not resolve that Service to it
        """
        name = f"{self._target.pod}-clients"
        words = ["python3", "-I", "-S", "-c", _RESOLVE, name]
        deadline = time.monotonic() + _CLIENT_SECONDS
        while True:
            pod = self._running()
            output = ""
            if pod is not None:
                gateway = pod["metadata"]["name"]
                _, output = running.quietly(
                    self._target.cluster, gateway, words, container="gateway"
                )
            if address in output.split():
                return
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_SECONDS)
        answer = " ".join(output.split())[-200:] or "nothing"
        kubectl = self._target.cluster.context.kubectl
        raise EnvironmentFailure(
            f"the cluster's name server does not resolve the headless Service `{name}` to the sandbox, so that the gateway "
            f"would serve nobody: it says {answer}",
            f"`{kubectl} get endpointslices` has to have {address}; who manages the cluster can say whether its name "
            "server knows headless Services",
        )

    def ledger(self) -> Ledger:
        """The events in its log.

        :raises EnvironmentFailure: it cannot be determined which Pod is the gateway
        """
        self._read(self._running())
        return copy.deepcopy(self._ledger)

    def give(self, credentials: Credentials) -> None:
        """Replace all secrets of the gateway by these, in its memory only; return when it has them.

        :raises EnvironmentFailure: the gateway does not run, differs from what was created, or does not accept them
        """
        pod = self._as_written()
        self._mark_held = secrets.token_hex(8)
        document = {**credentials_to_json(credentials), "op": "credentials"}
        data = json.dumps({**document, "mark": self._mark_held}).encode()
        words = ["python3", "-I", "-S", "-c", _KEEP, layout.POD_CREDENTIALS]
        code = running.run(
            self._target.cluster,
            pod["metadata"]["name"],
            words,
            data,
            _GIVE_SECONDS,
            lambda _stream, _piece: None,
            container="gateway",
        )
        deadline = time.monotonic() + _GIVE_SECONDS
        while not code and self._held != self._mark_held and time.monotonic() < deadline:
            self._read(pod)
            time.sleep(_LOOK_SECONDS)
        if self._held != self._mark_held:
            raise EnvironmentFailure(
                "the gateway did not take the secret, and has none",
                f"`sandboxd logs{self._target.option}` and its image may say why; run it again",
            )

    def _as_written(self) -> dict[str, Any]:
        """The gateway's Pod, once it is what its Deployment says: one of before may still be there.

        :raises EnvironmentFailure: it does not run, or is another
        """
        deadline = time.monotonic() + _GIVE_SECONDS
        while True:
            pod = self._running()
            try:
                if pod is None:
                    raise EnvironmentFailure(
                        "the gateway does not run, so it cannot be given a secret",
                        f"`sandboxd status{self._target.option}` shows its state, then run this again",
                    )
                gateway_pods.require_as_written(self._target.cluster, self._target.pod, pod)
            except gateway_pods.NotAsWritten:
                if time.monotonic() > deadline:
                    raise
            else:
                return pod
            time.sleep(_LOOK_SECONDS)

    def answer(self, question: int, why: str) -> None:
        """Do nothing: the gateway of a Pod has no listener for requests of programs inside, so there are none to
        answer.
        """

    def _note(
        self, record: records.Record, documents: Sequence[dict[str, Any]], given: GivenRights | None
    ) -> None:
        """Record what was applied, for `drift` and the next look to compare with."""
        target = self._target
        fresh = {(each["kind"], each["metadata"]["name"]): each for each in documents}
        objects = [fresh.get((o["kind"], o["metadata"]["name"]), o) for o in record.objects]
        changed = record._replace(objects=objects)
        if given is not None:
            changed = changed._replace(given=to_json(given))
        if changed != record:
            records.note(target.environ, target.cluster.context, target.pod, changed)

    def _wait(self, version: int) -> None:
        deadline = time.monotonic() + _TAKES_SECONDS
        marked = ""
        while True:
            pod = self._running()
            if pod is None:
                # It reads the ConfigMap before it lets anything through.
                return
            if pod["metadata"]["uid"] != marked:
                marked = pod["metadata"]["uid"]
                self._mark(pod, version)
            self._read(pod)
            event, last, why = self._policy
            if last == version and event == "policy":
                return
            if last == version:
                raise EnvironmentFailure(
                    f"the gateway refuses the policy and lets nothing through: {why}",
                    f"correct `[network]` in sandboxd.toml, then run `sandboxd up{self._target.option}`",
                )
            if time.monotonic() > deadline:
                raise EnvironmentFailure(
                    f"the gateway has not taken the names of now within {_TAKES_SECONDS:g} s",
                    "they are in its ConfigMap, and its node brings that late; "
                    f"`sandboxd status{self._target.option}` shows whether it is ready",
                )
            time.sleep(_LOOK_SECONDS)

    def _mark(self, pod: Mapping[str, Any], version: int) -> None:
        metadata = {"name": pod["metadata"]["name"], "annotations": {_MARK: str(version)}}
        if "namespace" in pod["metadata"]:
            metadata["namespace"] = pod["metadata"]["namespace"]
        # Without the mark, and where the Pod is gone meanwhile, the ConfigMap comes by itself.
        with contextlib.suppress(failures.Refused):
            self._target.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})

    def _running(self) -> dict[str, Any] | None:
        return gateway_pods.running(self._target.cluster, self._target.pod)

    def _read(self, pod: Mapping[str, Any] | None) -> None:
        """Take the events of the gateway's log since the last look."""
        if pod is None:
            return
        if pod["metadata"]["uid"] != self._pod:
            self._pod, self._since = pod["metadata"]["uid"], 0
        rest = b""

        def take(piece: bytes) -> None:
            nonlocal rest
            *whole, rest = (rest + piece).split(b"\n")
            rest = rest[:_LONGEST_LINE]
            for line in whole:
                if (event := event_of(line)) is not None:
                    # The log is written by a Pod, which may lie: an incomplete event is dropped.
                    with contextlib.suppress(
                        KeyError, TypeError, AttributeError, ValueError, OverflowError
                    ):
                        self._take(event)

        # One that does not run yet has no log.
        with contextlib.suppress(PodGone, failures.Refused):
            logs.show(
                self._target.cluster,
                pod["metadata"]["name"],
                follow=False,
                tail="all",
                since=0,
                since_there=self._since,
                write=take,
                container="gateway",
            )

    def _take(self, event: Event) -> None:
        moment = event["time"]
        if not isinstance(moment, int | float) or not 0 <= moment < _LATEST:
            raise ValueError
        if event["event"] == "ready" and moment != self._run:
            # Another process, which numbers its events anew.
            self._run, self._ledger.last_number = moment, 0
        if event["seq"] <= self._ledger.last_number:
            return
        self._since = int(moment)
        if event["event"] == "policy":
            self._policy = ("policy", event["version"], "")
        elif event["event"] == "refused" and event["op"] in ("", "policy"):
            self._policy = ("refused", event["version"], str(event["why"])[:300])
        elif event["event"] == "credentials":
            self._held = event["mark"]
        self._ledger.take((event,))


def _given(present: Policy | None) -> Given:
    """What a ConfigMap gives; a policy that differs from what its version says is one that nobody here wrote."""
    if present is None:
        return Given()
    is_ours = present.version == version_of(present)
    return Given(present.version, present) if is_ours else Given(_FOREIGN)
