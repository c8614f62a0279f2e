"""A sandbox is followed on each engine on which it runs, and once, in however many ways its engine is named."""

from __future__ import annotations

from sandboxd.daemon.places import Place, Places, View
from sandboxd.daemon.projects import EngineKey
from sandboxd.status.observe import Sandbox

FIRST, SECOND = EngineKey("unix:///first.sock", None), EngineKey("unix:///second.sock", None)
BY_CONTEXT = EngineKey(None, "first")
BY_TCP = EngineKey("tcp://127.0.0.1:2375", None)
SHOP = "/home/ann/shop"
ON_FIRST, ON_SECOND = Place("unix:///first.sock", SHOP), Place("unix:///second.sock", SHOP)


def places() -> Places:
    return Places(lambda key: FIRST.host or "" if key == BY_CONTEXT else key.host or "")


def running(container: str) -> Sandbox:
    return Sandbox(True, id=container)


def test_one_identity_runs_on_two_engines() -> None:
    every = places()
    assert every.see(FIRST, SHOP, running("c1")) == (View(ON_FIRST, FIRST, running("c1")),)
    assert every.see(SECOND, SHOP, running("c2")) == (View(ON_SECOND, SECOND, running("c2")),)
    assert {view.place for view in every.of_workspace(SHOP)} == {ON_FIRST, ON_SECOND}
    assert every.see(SECOND, SHOP, None) == (View(ON_SECOND, SECOND, None),)
    assert [view.place for view in every.of_workspace(SHOP)] == [ON_FIRST]
    assert every.of_workspace("/another") == ()


def test_a_second_name_of_an_engine_is_no_second_place() -> None:
    every = places()
    every.see(FIRST, SHOP, running("c1"))
    assert every.see(BY_CONTEXT, SHOP, running("c1")) == (View(ON_FIRST, FIRST, running("c1")),)
    # One of them does not answer any more: the sandbox runs on, and the other shows it.
    assert every.see(FIRST, SHOP, None) == (View(ON_FIRST, BY_CONTEXT, running("c1")),)
    assert every.see(BY_CONTEXT, SHOP, None) == (View(ON_FIRST, BY_CONTEXT, None),)


def test_a_second_address_of_an_engine_is_known_by_its_container() -> None:
    every = places()
    every.see(FIRST, SHOP, running("c1"))
    assert every.find(BY_TCP, SHOP) == Place(BY_TCP.host or "", SHOP)
    assert every.see(BY_TCP, SHOP, running("c1")) == (View(ON_FIRST, FIRST, running("c1")),)
    assert every.find(BY_TCP, SHOP) == ON_FIRST
    every.see(FIRST, SHOP, None)
    assert every.of_workspace(SHOP) == (View(ON_FIRST, BY_TCP, running("c1")),)


def test_a_container_that_was_started_by_one_address_is_at_one_place_by_whichever_it_is_shown() -> (
    None
):
    every = places()
    by_tcp = Place(BY_TCP.host or "", SHOP)
    assert every.find_started(BY_TCP, SHOP, "c1") == by_tcp
    assert every.see(FIRST, SHOP, running("c1")) == (View(by_tcp, FIRST, running("c1")),)
    assert every.find(FIRST, SHOP) == every.find(BY_TCP, SHOP) == by_tcp
    # The next one is shown before its start says by which address it was made.
    assert every.see(FIRST, SHOP, running("c2"))[-1] == View(ON_FIRST, FIRST, running("c2"))
    assert every.find_started(BY_TCP, SHOP, "c2") == ON_FIRST
    assert every.find(BY_TCP, SHOP) == every.find_started(BY_TCP, SHOP, "") == ON_FIRST
    assert every.see(BY_TCP, SHOP, running("c2")) == (View(ON_FIRST, FIRST, running("c2")),)


def test_a_start_on_another_engine_is_at_a_place_of_its_own() -> None:
    every = places()
    every.see(FIRST, SHOP, running("c1"))
    every.find_started(SECOND, SHOP, "c2")
    assert every.see(SECOND, SHOP, running("c2")) == (View(ON_SECOND, SECOND, running("c2")),)
    # What is gone from where it was shown says nothing about the address by which it was started.
    every.find_started(BY_TCP, SHOP, "c1")
    every.see(FIRST, SHOP, None)
    assert every.find(BY_TCP, SHOP) == Place(BY_TCP.host or "", SHOP)


def test_containers_that_did_not_answer_are_not_taken_for_one() -> None:
    every = places()
    every.see(FIRST, SHOP, Sandbox(False))
    (view,) = every.see(SECOND, SHOP, Sandbox(False))
    assert view.place == ON_SECOND


def test_a_name_that_leads_to_another_engine_by_now_leaves_the_place_of_before() -> None:
    address = {FIRST: "one"}
    every = Places(lambda key: address[key])
    every.see(FIRST, SHOP, running("c1"))
    address[FIRST] = "two"
    assert every.see(FIRST, SHOP, running("c2")) == (
        View(Place("one", SHOP), FIRST, None),
        View(Place("two", SHOP), FIRST, running("c2")),
    )


def test_where_none_runs_a_client_means_the_engine_that_it_names() -> None:
    every = places()
    assert every.find(SECOND, SHOP) == ON_SECOND
    every.see(FIRST, SHOP, running("c1"))
    assert every.find(SECOND, SHOP) == ON_SECOND
    assert every.find(BY_CONTEXT, SHOP) == ON_FIRST
