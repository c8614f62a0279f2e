"""`forwardPorts` of a config: open on this machine by the daemon, as long as the sandbox runs."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.test_forward import GET, exchange
from tests.e2e.test_life_with_daemon import daemon  # noqa: F401
from tests.patience import eventually
from tests.ports import pick_port

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache", "daemon")]


def ports(engine: str, folder: Path) -> list[str]:
    status = sandboxes.run(engine, folder, "status", "--json")
    return list(json.loads(status.stdout)["projects"][0]["ports"])


def open_ports(engine: str, folder: Path) -> list[dict[str, object]]:
    status = sandboxes.run(engine, folder, "status", "--json")
    return list(json.loads(status.stdout)["projects"][0]["open_ports"])


def test_forwarded_ports_are_open_while_the_sandbox_runs_and_status_names_them(
    engine: str, project: Path
) -> None:
    free = pick_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        config = {
            "forwardPorts": [free, number, "db:5432"],
            "portsAttributes": {str(free): {"label": "Web"}},
            "postStartCommand": f"httpd -p 127.0.0.1:{free} -h .",
        }
        (project / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
        data = os.urandom(100_000)
        (project / "data").write_bytes(data)
        done = sandboxes.run(engine, project, "up")
        assert done.returncode == 0, done.stderr
        # While its files are looked at again, a project has no row of ports.
        seen: list[str] = []

        def has_three() -> bool:
            seen[:] = ports(engine, project)
            return len(seen) == 3

        eventually(has_three, lambda: seen)
        first, second, third = seen
        assert first == f"{free} (Web): http://127.0.0.1:{free}"
        match = re.fullmatch(rf"{number}: http://127\.0\.0\.1:(\d+)", second)
        assert match and int(match[1]) != number
        assert third == "db:5432: not forwarded, `sandboxd up` does not start `db`"
        assert exchange(free, GET).partition(b"\r\n\r\n")[2] == data
        web = {"port": free, "service": "", "label": "Web", "url": first.partition(": ")[2]}
        opened: list[dict[str, object]] = []

        def has_two() -> bool:
            opened[:] = open_ports(engine, project)
            return len(opened) == 2

        eventually(has_two, lambda: opened)
        assert opened[0] == web
        assert [port["port"] for port in opened] == [free, number]
        listed = json.loads(sandboxes.run(engine, project, "forward", "--json").stdout)
        assert {"port": free, "program": "httpd"} in listed["listening"]

        def shown() -> str:
            return sandboxes.run(engine, project, "status").stdout

        eventually(lambda: f"http://127.0.0.1:{free}" in shown(), shown)
    assert sandboxes.run(engine, project, "down").returncode == 0

    def is_closed() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", free)) != 0

    eventually(is_closed, lambda: "the port is still open")
    eventually(lambda: ports(engine, project) == [], lambda: ports(engine, project))


def test_each_form_of_a_port_is_open_when_up_ends(engine: str, project: Path) -> None:
    one, two, three, here = (pick_port() for _ in range(4))
    config = {
        "forwardPorts": [one, f"localhost:{two}", "8080:3000", "none"],
        "appPort": [three, f"{here}:{one}"],
        "postStartCommand": "; ".join(
            f"httpd -p 127.0.0.1:{port} -h ." for port in (one, two, three)
        ),
    }
    (project / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    (project / "data").write_bytes(b"the data")
    done = sandboxes.run(engine, project, "up")
    try:
        assert done.returncode == 0, done.stderr
        said = " ".join(done.stderr.split())
        for port in (one, two, three, here):
            assert f": http://127.0.0.1:{port}" in said, said
            assert exchange(port, GET).partition(b"\r\n\r\n")[2] == b"the data"
        assert "port forwardPorts `8080:3000` is not forwarded: `8080` is the name of a" in said
        assert "port forwardPorts `none` is not forwarded: it is no port" in said
        assert "left out" not in said, said
        again = sandboxes.run(engine, project, "up")
        assert f": http://127.0.0.1:{here}" in again.stderr, "named at each start"
    finally:
        assert sandboxes.run(engine, project, "down").returncode == 0


def test_ports_of_sandboxd_toml_are_open_when_up_ends(engine: str, project: Path) -> None:
    one, other, here = (pick_port() for _ in range(3))
    start = f"httpd -p 127.0.0.1:{one} -h .; httpd -p 127.0.0.1:{other} -h ."
    (project / ".devcontainer/devcontainer.json").write_text(
        json.dumps({"forwardPorts": [one], "postStartCommand": start})
    )
    (project / "data").write_bytes(b"the data")
    text = (project / "sandboxd.toml").read_text()
    ports = f'["{one}", "{other}:{here}"]'
    (project / "sandboxd.toml").write_text(f"{text}[network]\nforward = {ports}\n")
    sandboxes.grant(project)
    done = sandboxes.run(engine, project, "up")
    try:
        assert done.returncode == 0, done.stderr
        last = " ".join(done.stderr.splitlines()[-4:])
        assert f"{one}: http://127.0.0.1:{one}" in last
        assert f"{other}:{here}: http://127.0.0.1:{here}" in last
        assert exchange(here, GET).partition(b"\r\n\r\n")[2] == b"the data"
    finally:
        assert sandboxes.run(engine, project, "down").returncode == 0


@pytest.mark.gvisor
def test_a_profile_that_runs_nothing_by_itself_opens_none(
    engine: str, tmp_path: Path, busybox_image: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "ws", busybox_image, "gvisor", "untrusted")
    free = pick_port()
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps({"forwardPorts": [free]}))
    try:
        assert sandboxes.run(engine, folder, "up").returncode == 0
        assert eventually(lambda: ports(engine, folder)) == [
            f"{free}: not forwarded by itself under profile `untrusted`: `sandboxd forward {free}`"
        ]
    finally:
        assert sandboxes.run(engine, folder, "down", "--discard").returncode == 0
