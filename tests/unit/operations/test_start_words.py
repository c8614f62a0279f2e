"""What the end of a start says: where its ports are, and why a hook or a service is not as it should be."""

from __future__ import annotations

import pytest

from sandboxd.life.hooks import Failure
from sandboxd.life.service_start import Sick
from sandboxd.model.remote import Port
from sandboxd.operations import _start_words

HOOK = Failure("postCreateCommand", "devcontainer.json", 3, ())


@pytest.mark.parametrize(
    ("port", "address"),
    [
        (Port(3000), "http://127.0.0.1:3000"),
        (Port(8443, scheme="https"), "https://127.0.0.1:8443"),
        (Port(3000, here=8080), "http://127.0.0.1:8080"),
        (Port(5432, service="db"), "http://127.0.0.1:5432"),
    ],
)
def test_a_port_is_at_the_number_that_the_config_names_for_this_machine(
    port: Port, address: str
) -> None:
    assert _start_words.address(port) == address


def test_each_service_that_is_not_as_it_should_be_is_named_with_the_first_hint() -> None:
    sick = [Sick("db", "ended with exit code 1"), Sick("cache", "is unhealthy", "see its log")]
    message = "the service `db` ended with exit code 1; the service `cache` is unhealthy"
    assert _start_words.of_services(sick) == (message, "see its log")
    assert _start_words.of_services([]) == ("", "")


def test_a_hook_that_failed_is_named_with_what_did_not_run() -> None:
    message, hint = _start_words.of_hook(HOOK)
    assert message == "`postCreateCommand` of devcontainer.json ended with exit code 3"
    assert "`sandboxd shell`" in hint
    message, _ = _start_words.of_hook(HOOK._replace(left=("postStartCommand", "waitFor")))
    assert message.endswith("; not run: `postStartCommand`, `waitFor`")


def test_a_hook_that_the_network_refused_something_leads_to_the_command_that_allows_it() -> None:
    message, hint = _start_words.of_hook(HOOK._replace(refused=("a.example", "b.example:22")))
    assert message.endswith("; the network refused `a.example`, `b.example:22`")
    assert hint.startswith("`sandboxd egress allow a.example` lets it through")
    elsewhere = HOOK._replace(refused=("a.example",))
    _, hint = _start_words.of_hook(elsewhere, " --on team --name n")
    assert hint == (
        "`sandboxd egress allow a.example --on team --name n` lets it through, "
        "`sandboxd egress log --on team --name n` has all; then `sandboxd up --on team --name n` runs the hook again"
    )


def test_a_failed_hook_names_why_where_it_can_be_asked() -> None:
    assert "why" not in _start_words.of_hook(HOOK, " --on team")[1]
    hint = _start_words.of_hook(HOOK, " --name n", names_why=True)[1]
    assert "; `sandboxd why --name n` says whether it was blocked; " in hint
