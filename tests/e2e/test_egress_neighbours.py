"""Two unattended sandboxes at a time: neither reaches the other, its gateway, or what the other may reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandboxd.egress.layout import ASK_PORT, DNS_PORT, PROXY_PORT, SOCKS_PORT
from sandboxd.engine.client import Engine
from sandboxd.life import gateway, networks
from sandboxd.life.find import sandboxes_of_up
from tests.e2e import outside, sandboxes
from tests.e2e.internet_of_engine import (
    PLAIN,
    busybox_image,
    engine,
    internet,
    left,
    private_engine,
    runtime,
)
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World
from tests.patience import eventually

__all__ = ["busybox_image", "engine", "internet", "private_engine", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES = {"mine.test", "yours.test"}
WEB = 8000


class Neighbour(NamedTuple):
    world: World
    project: Path

    def inside(self, text: str) -> str:
        done = self.world.run("exec", "-n", "sh", "-c", text, cwd=self.project)
        return done.stdout + done.stderr


@pytest.fixture
def pair(
    world: World, api: Engine, tmp_path: Path, busybox_image: str, runtime: str, internet: Outside
) -> Iterator[tuple[Neighbour, Neighbour]]:
    """One that may reach `mine.test`, and one that may reach `yours.test` and serves a page."""
    made = []
    for name in ("mine", "yours"):
        project = sandboxes.make_project(
            tmp_path / name, busybox_image, runtime, "agent", granted=False
        )
        with (project / "sandboxd.toml").open("a") as file:
            file.write(f'[network]\nallow = ["{name}.test:80"]\n')
        made.append(Neighbour(world, project))
        for words in (("trust", "add", "--yes"), ("up", "--allow-runc")):
            done = world.run(*words, cwd=project)
            assert done.returncode == 0, done.stderr
    mine, yours = made
    serve = f"mkdir -p /tmp/w && echo yours >/tmp/w/index.html && httpd -p {WEB} -h /tmp/w"
    assert yours.inside(serve) == ""
    assert yours.inside(f"{PLAIN}wget -q -T 60 -O - http://127.0.0.1:{WEB}/") == "yours\n"
    try:
        yield mine, yours
    finally:
        for each in made:
            world.run("down", "--discard", cwd=each.project)
    assert left(api) == []


def addresses(api: Engine, project: Path) -> list[str]:
    """Each address that the sandbox at `project` and its gateway have, and its gateway's range begins with."""
    inner = networks.pair_of(api, str(project))
    assert inner is not None
    (container,) = sandboxes_of_up(api, str(project))
    every = [inner.inner.addresses.host, inner.inner.addresses.synthetic.partition("/")[0]]
    for name in (container.id, gateway.name_of(str(project))):
        ends = api.inspect(name)["NetworkSettings"]["Networks"].values()
        every += [end["IPAddress"] for end in ends]
    return sorted({address for address in every if address})


def knock(address: str, port: int) -> str:
    """Words of a shell that say `open` where something listens."""
    return f"nc -w 2 {address} {port} </dev/null >/dev/null 2>&1 && echo open {address} {port}"


def test_neither_reaches_the_other(
    api: Engine, pair: tuple[Neighbour, Neighbour], internet: Outside
) -> None:
    mine, yours = pair
    for each, own, other in ((mine, "mine", "yours"), (yours, "yours", "mine")):
        for before in (PLAIN, ""):
            page = f"{before}wget -T 60 -q -O - http://{own}.test/"
            assert each.inside(page) == f"outside for {own}.test\n"
            assert "outside for" not in each.inside(page.replace(own, other))
    targets = addresses(api, yours.project)
    assert len(targets) >= 4, targets
    ports = (DNS_PORT, PROXY_PORT, SOCKS_PORT, ASK_PORT, 80, WEB)
    own_inner = networks.pair_of(api, str(mine.project))
    assert own_inner is not None
    own_gateway = own_inner.inner.addresses.gateway
    is_open = f"open {own_gateway} {PROXY_PORT}\n"
    eventually(lambda: mine.inside(knock(own_gateway, PROXY_PORT)) == is_open)
    every = "; ".join(knock(address, port) for address in targets for port in ports)
    assert "open" not in mine.inside(every)
    # The neighbour's gateway as proxy and as name server, by each address of it.
    for address in targets:
        proxy = f"http_proxy=http://{address}:{PROXY_PORT} wget -T 3 -q -O - http://yours.test/"
        assert "outside for" not in mine.inside(proxy)
        assert outside.ADDRESS not in mine.inside(f"nslookup yours.test {address}")
        # Its own gateway is asked for the neighbour.
        for port in (80, WEB):
            asked = mine.inside(f"wget -T 3 -q -O - http://{address}:{port}/")
            assert "yours" not in asked.replace(f"http://{address}", "")
