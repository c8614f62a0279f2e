"""Whether NetworkPolicies are enforced: two connections from inside, one that must fail and one that must work.

Both go to the gateway's Pod, to two ports that listen: the policies let the sandbox reach one of them. It is the
word of the sandbox, asked before anything of the project is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.cluster import running

if TYPE_CHECKING:
    from sandboxd.cluster.api import Cluster

Outcome = Literal["enforced", "open", "not checked"]
_SECONDS = 4
_TRY = """\
try() {
  if command -v python3 >/dev/null 2>&1; then
    python3 -I -c 'import socket, sys
try: socket.create_connection((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]))
except OSError: sys.exit(1)' "$1" "$2" "$3"
  elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    timeout "$3" bash -c 'exec 3<>/dev/tcp/$0/$1' "$1" "$2" 2>/dev/null
  elif command -v nc >/dev/null 2>&1; then
    nc -w "$3" "$1" "$2" </dev/null >/dev/null 2>&1
  else echo none; return; fi && echo reached || echo failed
}
"""


class Trial(NamedTuple):
    """The outcome of a trial, and in words what was seen."""

    outcome: Outcome
    evidence: str


def try_network(
    cluster: Cluster, pod: str, must_fail: list[tuple[str, int]], must_work: tuple[str, int] | None
) -> Trial:
    """Try the connections from inside `pod`.

    :param must_fail: addresses and ports that listen, and that no policy allows
    :param must_work: one that is allowed; None where nothing is
    """
    if not must_fail:
        return Trial("not checked", "there is nothing that must not be reached to try it with")
    if must_work is not None:
        answer = _ask(cluster, pod, must_work)
        if answer == "none":
            return Trial(
                "not checked", "the image has nothing to connect with: python3, bash or nc"
            )
        if answer != "reached":
            return Trial(
                "not checked", f"the gateway at {must_work[0]} port {must_work[1]} does not answer"
            )
    for address, port in must_fail:
        answer = _ask(cluster, pod, (address, port))
        if answer == "none":
            return Trial(
                "not checked", "the image has nothing to connect with: python3, bash or nc"
            )
        if answer == "reached":
            return Trial(
                "open", f"{address} port {port} was reached from inside, which no policy allows"
            )
    places = ", ".join(f"{address} port {port}" for address, port in must_fail)
    return Trial("enforced", f"{places} cannot be reached from inside")


def _ask(cluster: Cluster, pod: str, place: tuple[str, int]) -> str:
    words = ["sh", "-c", f'{_TRY}try "$1" "$2" "$3"', "sh", place[0], str(place[1]), str(_SECONDS)]
    _, output = running.quietly(cluster, pod, words)
    lines = output.split()
    return lines[-1] if lines else ""
