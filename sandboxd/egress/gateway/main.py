"""The gateway's process: `python -m sandboxd.egress.gateway.main ADDRESS SUBNET [UID [--control]]`.

ADDRESS is its own on the inner network SUBNET. With `--control` it serves its control socket, too, which the same
program with `--control` alone joins to its input and output. It needs NET_ADMIN, NET_RAW, SETUID and SETGID for
the first milliseconds, and the switch `net.ipv4.ip_unprivileged_port_start=0` for what it serves.
Nothing is let through before the first policy has come by standard input: see `messages`.
"""

from __future__ import annotations

import gc
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

from sandboxd.egress import layout
from sandboxd.egress.gateway import control_relay, facts, privileges, process_limits

if TYPE_CHECKING:
    from sandboxd.egress.gateway.server import Network

_USER = 65532


def main(arguments: list[str]) -> None:
    """Serve until the process is killed."""
    if arguments == [layout.CONTROL_FLAG]:
        control_relay.relay()
        return
    address, subnet = arguments[:2]
    inner = layout.inner_addresses(subnet)
    began = time.monotonic()
    # Before the rest is loaded: the host has until then to answer.
    facts.ask_neighbour(inner.host)
    user = int(arguments[2]) if len(arguments) > 2 else _USER
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    process_limits.set_limits()
    import asyncio

    from sandboxd.egress.gateway.server import Network

    network = Network(inner, address, facts.interface_of(address), facts.way_out())
    privileges.make_local(inner.synthetic)
    watcher = privileges.syn_watcher(network.inner)
    privileges.become(user)
    asyncio.run(_serve(network, watcher, began, layout.CONTROL_FLAG in arguments))


async def _serve(
    network: Network, watcher: socket.socket | None, began: float, has_control: bool
) -> None:
    import asyncio

    from sandboxd.egress.gateway.server import Gateway

    loop = asyncio.get_running_loop()
    gateway = Gateway(loop, network, watcher)
    if has_control:
        await gateway.open_control_socket()
    gateway.start(watcher is not None, began)
    gc.freeze()
    await loop.create_future()


if __name__ == "__main__":
    main(sys.argv[1:])
