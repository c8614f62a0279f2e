"""`fill`: a text as Compose starts a program with it."""

from __future__ import annotations

import pytest

from sandboxd.syntax.substitution import Filled, fill

VALUES = {"A": "a", "EMPTY": "", "PRICE": "5${A}$"}


@pytest.mark.parametrize(
    ("text", "filled", "unset"),
    [
        ("plain", "plain", ()),
        ("$A ${A}", "a a", ()),
        ("$$A $${A} $$", "$A ${A} $", ()),
        ("$NO-${NO}", "-", ("NO",)),
        ("${NO:-b} ${NO-} ${EMPTY-c} ${EMPTY:-d}", "b   d", ()),
        ("${NO:-${ALSO}}", "", ("ALSO",)),
        ("${A:+b} ${NO:+b}", "b ", ("NO",)),
        ("${PRICE}", "5${A}$", ()),
        ("${A:?must be}", "a", ()),
    ],
)
def test_what_is_set_nowhere_is_empty_and_named(
    text: str, filled: str, unset: tuple[str, ...]
) -> None:
    assert fill(text, VALUES.get) == Filled(filled, unset)


@pytest.mark.parametrize("text", ["${NO:?}", "${NO?say it}", "$", "a $5", "${A"])
def test_what_compose_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="variable"):
        fill(text, VALUES.get)
