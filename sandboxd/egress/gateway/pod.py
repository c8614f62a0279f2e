"""The gateway's process in a Pod: `python gateway.zip ADDRESS POLICY CLIENTS`.

ADDRESS is the Pod's own, POLICY the path of a file that holds a `messages.SetPolicy`, CLIENTS the name whose
addresses are served: see `clients`. It needs no right at all. No range of addresses stands for names here, so
only the proxies lead out. Its events are lines of JSON on standard output, the Pod's log.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from types import FrameType

from sandboxd.egress import layout
from sandboxd.egress.gateway import facts, process_limits
from sandboxd.egress.gateway.clients import Clients
from sandboxd.egress.gateway.command_file import CommandFile
from sandboxd.egress.gateway.server import Gateway, Network


def main(arguments: list[str]) -> None:
    """Serve until the Pod ends."""
    began = time.monotonic()
    address, policy, clients = arguments
    # The kernel gives the first process of a container no signal that it does not handle.
    signal.signal(signal.SIGTERM, _end)
    process_limits.set_limits()
    way_out = facts.way_out()._replace(is_inner=True)
    network = Network(layout.pod_addresses(address), address, "", way_out, layout.POD_DNS_PORT)
    asyncio.run(_serve(network, policy, clients, began))


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)


async def _serve(network: Network, policy: str, clients: str, began: float) -> None:
    loop = asyncio.get_running_loop()
    gateway = Gateway(loop, network, None, Clients(loop, clients))
    gateway.answer_probes()
    gateway.start(False, began)
    CommandFile(loop, policy, gateway.command).follow()
    # Secrets are put there by whoever started the sandbox, and are in no object of the cluster.
    CommandFile(loop, layout.POD_CREDENTIALS, gateway.command, is_required=False).follow()
    await loop.create_future()


if __name__ == "__main__":
    main(sys.argv[1:])
