"""Ports of a config are open on this machine for the container that runs, as long as the plan names them."""

from __future__ import annotations

import pytest

from sandboxd.daemon import local_rights
from sandboxd.daemon.local_rights import LocalRights
from sandboxd.daemon.places import Place
from sandboxd.model.remote import Port
from sandboxd.model.sandbox_id import sandbox_id
from tests.unit.daemon.local_rights_world import ENGINE, OPENED, User, user, with_rights

__all__ = ["user"]


def opened() -> dict[str, tuple[Port, ...]]:
    """The ports that are open, by the container that they lead to."""
    return {each.rights.container: each.rights.ports for each in OPENED}


WEB, DATABASE = Port(3000), Port(5432, service="db")


def test_ports_are_open_while_the_container_runs_that_they_lead_to(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        user.ports = (WEB, DATABASE)
        rights.update(user.place, ENGINE, "c1")
        assert opened() == {"c1": (WEB, DATABASE)}
        assert rights.lines(user.place) == ("3000", "db:5432")
        assert rights.wait(user.place, (WEB,)) == ("3000", "db:5432")
        rights.update(user.place, ENGINE, "c2")
        assert opened() == {"c2": (WEB, DATABASE)}
        assert OPENED[0].before is not None, "who may still have the ports ends first"
        rights.update(user.place, ENGINE, "")
        assert opened() == {} and rights.lines(user.place) == ()

    with_rights(user, body)


def test_ports_follow_edits_of_the_config(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        rights.update(user.place, ENGINE, "c1")
        for ports in ((WEB,), (WEB, DATABASE), (DATABASE,), ()):
            user.ports = ports
            rights.refresh(user.sandbox)
            assert opened().get("c1", ()) == ports

    with_rights(user, body)


def test_ports_stay_while_the_config_cannot_be_read_but_for_no_other_container(user: User) -> None:
    """So do the names of a gateway: someone is at work on the file."""

    async def body(rights: LocalRights) -> None:
        user.ports = (WEB,)
        rights.update(user.place, ENGINE, "c1")
        user.write("profile = \n")
        rights.refresh(user.sandbox)
        user.ports = None
        rights.refresh(user.sandbox)
        assert opened() == {"c1": (WEB,)}
        rights.update(user.place, ENGINE, "c2")
        assert opened() == {}

    with_rights(user, body)


def test_ports_end_where_the_folder_of_the_project_is_gone(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        user.ports = (WEB,)
        rights.update(user.place, ENGINE, "c1")
        elsewhere = user.path.with_name("moved")
        user.path.rename(elsewhere)
        user.ports = None
        rights.refresh(user.sandbox)
        assert opened() == {}
        elsewhere.rename(user.path)
        user.ports = (WEB,)
        rights.refresh(user.sandbox)
        assert opened() == {"c1": (WEB,)}

    with_rights(user, body)


def test_one_beside_others_has_no_port_of_its_own_here(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        user.ports = (WEB,)
        rights.update(Place("one", sandbox_id(user.sandbox, "login")), ENGINE, "c1")
        assert opened() == {}

    with_rights(user, body)


def test_a_start_does_not_wait_for_ever_for_ports_that_nobody_opens(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(rights: LocalRights) -> None:
        monkeypatch.setattr(local_rights, "_OPEN_SECONDS", 0.05)
        assert rights.wait(user.place, (WEB,)) == ()

    with_rights(user, body)


def test_what_is_forgotten_has_no_port_open(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        user.ports = (WEB,)
        rights.update(user.place, ENGINE, "c1")
        rights.forget(user.sandbox)
        assert opened() == {}

    with_rights(user, body)
