"""SSH keys are served to the container of the start that chose them, for as long as everything says so."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from sandboxd.audit import notes
from sandboxd.audit.record import RecordFailure
from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.daemon import local_rights
from sandboxd.daemon.local_rights import LocalRights
from sandboxd.daemon.places import Place
from sandboxd.daemon.rights_loop import RightsLoop
from sandboxd.operations import local_rights as operation
from sandboxd.policy import trust
from sandboxd.policy.rights import KeyRights
from tests.patience import PATIENCE
from tests.unit.daemon.local_rights_world import (
    ASKS,
    CHOICE,
    ENDED,
    ENGINE,
    FORGE,
    KEY,
    SERVED,
    Served,
    User,
    heard,
    user,
    with_rights,
)

__all__ = ["user"]


async def serve(rights: LocalRights, user: User) -> None:
    rights.update(user.place, ENGINE, "id-of-start")
    rights.keep(user.place, "id-of-start", CHOICE)
    await heard()
    (served,) = SERVED
    assert served == Served(user.sandbox, CHOICE, KeyRights("id-of-start", CHOICE.words))


TAKEN_BACK = {
    "a policy": lambda user: user.policy("credentials = []\n"),
    "trust revoke": lambda user: trust.revoke(user.environ, user.sandbox),
    "the file": lambda user: user.write(ASKS.replace('"ssh"', "")),
    "an edit without a grant": lambda user: user.write(ASKS + "# other content\n"),
    "credentials remove": lambda user: records.remove(user.environ, Name("ssh")),
    "a file that cannot be read": lambda user: user.write("profile = \n"),
    "a list that cannot be read": lambda user: (
        Path(user.environ["XDG_CONFIG_HOME"]) / "sandboxd/credentials.toml"
    ).write_text("credentials = 1\n"),
    "a folder that is gone": lambda user: os.rename(user.path, f"{user.path}-moved"),
}


@pytest.mark.parametrize("how", TAKEN_BACK)
def test_what_is_taken_back_is_served_no_more(user: User, how: str) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        TAKEN_BACK[how](user)
        rights.refresh(user.sandbox)
        await heard()
        assert SERVED == []
        assert len(user.told) == 1 and "taken back" in user.told[0]

    with_rights(user, body)


def test_logins_by_keys_that_are_gone_are_ended_after_them(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        user.record(FORGE)
        rights.refresh(user.sandbox)
        await heard()
        assert ENDED == [1], "the key stays for the other host"
        records.remove(user.environ, Name("ssh"))
        rights.refresh(user.sandbox)
        await heard()
        assert ENDED == [1, 0]

    with_rights(user, body)


def test_half_a_file_ends_no_login(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        user.write("profile = \n")
        rights.refresh(user.sandbox)
        await heard()
        assert SERVED == [] and ENDED == []

    with_rights(user, body)


def test_a_list_that_cannot_be_read_is_the_reason_that_is_said(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        TAKEN_BACK["a list that cannot be read"](user)
        rights.refresh(user.sandbox)
        await heard()
        assert [told for told in user.told if "is not a list of credentials" in told]

    with_rights(user, body)


def test_what_is_allowed_again_is_served_again(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        for text, is_served in (("credentials = []\n", False), ('credentials = ["ssh"]\n', True)):
            user.policy(text)
            rights.refresh(user.sandbox)
            await heard()
            assert bool(SERVED) is is_served

    with_rights(user, body)


def test_a_look_at_one_project_does_not_keep_another_ones_keys(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files may lie on a disk that does not answer."""
    answers = threading.Event()
    follow = operation.follow

    def look(sandbox: str, *more: Any) -> None:
        if sandbox == "/hangs":
            answers.wait(PATIENCE)
        else:
            follow(sandbox, *more)

    async def body(rights: LocalRights) -> None:
        monkeypatch.setattr(operation, "follow", look)
        rights.update(Place("one", "/hangs"), ENGINE, "other")
        rights.update(user.place, ENGINE, "id-of-start")
        rights.keep(user.place, "id-of-start", CHOICE)
        while not SERVED:
            await asyncio.sleep(0.01)
        user.policy("credentials = []\n")
        rights.refresh(user.sandbox)
        while SERVED:
            await asyncio.sleep(0.01)
        assert not answers.is_set()
        answers.set()

    monkeypatch.setattr(local_rights, "RightsLoop", RightsLoop)
    with_rights(user, body)


def test_a_host_that_was_taken_out_of_the_record_goes_alone(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        user.record(FORGE, "new.test")
        rights.refresh(user.sandbox)
        await heard()
        (served,) = SERVED
        assert served.rights.words == {KEY, FORGE}, "nothing is added either"
        assert [told for told in user.told if "some of its SSH keys and hosts are" in told]

    with_rights(user, body)


def test_another_container_gets_nothing_of_a_start(user: User) -> None:
    """After `docker rm` an editor makes one of its own: no start named it."""

    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        rights.update(user.place, ENGINE, "")
        assert SERVED == []
        rights.update(user.place, ENGINE, "id-of-an-editor")
        await heard()
        assert SERVED == []
        rights.update(user.place, ENGINE, "id-of-start")
        await heard()
        assert len(SERVED) == 1

    with_rights(user, body)


def test_what_was_taken_back_while_it_did_not_run_is_not_given_for_a_moment(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        rights.update(user.place, ENGINE, "")
        user.policy("credentials = []\n")
        rights.refresh(user.sandbox)
        rights.update(user.place, ENGINE, "id-of-start")
        assert SERVED == []
        await heard()
        assert SERVED == []

    with_rights(user, body)


def test_a_policy_that_changed_during_the_start_counts(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        user.policy("credentials = []\n")
        rights.update(user.place, ENGINE, "id-of-start")
        rights.keep(user.place, "id-of-start", CHOICE)
        await heard()
        assert SERVED == []

    with_rights(user, body)


def test_a_start_that_gives_none_takes_back_what_one_before_gave(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        rights.keep(user.place, "", None)
        await heard()
        assert SERVED == []

    with_rights(user, body)


def test_another_agent_of_the_user_takes_the_place_of_the_first(user: User) -> None:
    """A second start in another login: the words are the same, and nothing of the first one may stay."""

    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        other = CHOICE._replace(socket="/another")
        rights.keep(user.place, "id-of-start", other)
        await heard()
        assert [served.choice for served in SERVED] == [other]

    with_rights(user, body)


def test_keys_are_recorded_before_they_are_given_and_taken_back_without(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries: list[dict[str, Any]] = []

    def record(_environ: object, kind: str, _project: str, **facts: Any) -> None:
        assert (kind, SERVED) == ("widened", [])
        entries.append(facts)

    def full_disk(*_words: object, **_facts: object) -> None:
        raise RecordFailure("the disk is full", "make room")

    async def body(rights: LocalRights) -> None:
        monkeypatch.setattr(notes, "require", record)
        await serve(rights, user)
        assert entries == [{"names": sorted(CHOICE.words), "credentials": ["ssh"]}]
        monkeypatch.setattr(notes, "require", full_disk)
        user.write(ASKS.replace('"ssh"', ""))
        rights.refresh(user.sandbox)
        await heard()
        assert SERVED == [] and "the disk is full" not in " ".join(user.told)
        user.write(ASKS)
        rights.refresh(user.sandbox)
        await heard()
        assert SERVED == [] and "the disk is full" in user.told[-1]

    with_rights(user, body)


def test_a_fault_of_ours_takes_keys_back(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError

    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        monkeypatch.setattr(operation, "follow", fault)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                rights.refresh(user.sandbox)
        await heard()
        assert SERVED == []
        assert [text for text in user.told if "a bug in sandboxd" in text] == user.told[-1:]

    with_rights(user, body)


def test_what_is_forgotten_is_served_no_more(user: User) -> None:
    async def body(rights: LocalRights) -> None:
        await serve(rights, user)
        rights.forget(user.sandbox)
        assert SERVED == []
        rights.refresh(user.sandbox)
        await heard()
        assert SERVED == []

    with_rights(user, body)


def test_a_sandbox_on_each_of_two_engines_has_its_own_keys(user: User) -> None:
    other = Place("two", user.sandbox)

    async def body(rights: LocalRights) -> None:
        for place, container in ((user.place, "on-one"), (other, "on-two")):
            rights.update(place, ENGINE, container)
            rights.keep(place, container, CHOICE)
        await heard()
        assert {each.rights.container for each in SERVED} == {"on-one", "on-two"}
        rights.update(other, ENGINE, "")
        assert [each.rights.container for each in SERVED] == ["on-one"]
        rights.update(other, ENGINE, "on-two")
        trust.revoke(user.environ, user.sandbox)
        rights.refresh(user.sandbox)
        assert SERVED == [], "what is taken back reaches both"

    with_rights(user, body)
