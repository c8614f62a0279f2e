"""A network as engines describe it, also where they leave something out."""

from __future__ import annotations

from sandboxd.engine.networks import _network


def test_what_an_engine_leaves_out_is_empty_and_no_word() -> None:
    for item in ({}, {"Name": None, "Driver": None, "Id": None, "Options": None, "Labels": None}):
        network = _network(item)
        assert (network.name, network.driver, network[-1]) == ("", "", "")
