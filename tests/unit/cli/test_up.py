"""What `up` says at its end of the way into the sandbox."""

from __future__ import annotations

from typing import Any, cast

from sandboxd.cli.commands import up


def next_step(ports: list[str], name: str, opened: tuple[str, ...] = ()) -> str:
    addresses = [f"http://127.0.0.1:{port.rpartition(':')[2]}" for port in ports]
    document: dict[str, Any] = {"ports": ports, "addresses": addresses, "opened": opened}
    return up.next_step(cast("Any", document), name)


def test_the_ports_of_the_config_are_opened_by_the_line_that_is_shown() -> None:
    assert next_step([], "") == (
        "`sandboxd shell` opens a terminal inside; `sandboxd forward` shows what listens there"
    )
    assert next_step(["3306", "db:5432"], "") == (
        "`sandboxd shell` opens a terminal inside; `sandboxd forward 3306 db:5432` opens "
        "http://127.0.0.1:3306, http://127.0.0.1:5432"
    )
    assert (
        next_step([], "", ("3000: http://127.0.0.1:3000",))
        == "`sandboxd shell` opens a terminal inside"
    )


def test_one_of_several_is_meant_by_its_name_and_no_service_is_a_command() -> None:
    line = next_step(["$(id):80"], "login")
    assert "`sandboxd shell --name login`" in line
    assert "`sandboxd forward --name login '$(id):80'`" in line
