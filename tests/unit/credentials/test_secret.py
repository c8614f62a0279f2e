"""A secret is shown by nothing but the one call that sends it."""

from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest

from sandboxd.credentials.secret import LONGEST, NotASecret, Secret

TEXT = "marked-3f9c"


def test_no_form_of_it_shows_it() -> None:
    secret = Secret(f" {TEXT}\n")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", repr([secret]), ascii(secret)]
    assert not [text for text in shown if TEXT in text]
    assert secret.reveal() == TEXT


def test_a_secret_is_not_written_down() -> None:
    secret = Secret(TEXT)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_equal_texts_are_equal() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT


@pytest.mark.parametrize(
    "text",
    ["", "  \n", f"{TEXT}\r\nX-Other: 1", f"{TEXT}\0", f"{TEXT}é", TEXT * (LONGEST // 5)],
)
def test_what_no_header_takes_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(NotASecret) as raised:
        Secret(text)
    assert TEXT not in "".join(traceback.format_exception(raised.value))
