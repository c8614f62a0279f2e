"""Recipes of just as lines of a shell script."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandboxd.syntax import justfile

_PARTS = st.sampled_from(
    ["a", " ", "\t", "\n", "\r\n", "@", "-", "{{", "}}", "{", "name", "\\", '"', ":=", "docker run"]
)


def test_an_interpolation_is_a_variable() -> None:
    text = "run:\n    @{{ tool }} run {{image}} {{ uppercase(tag) }}\n"
    expected = f"    \n        ${{tool}} run ${{image-}} ${'_' * 19}\n"
    assert justfile.as_shell(text) == expected


def test_a_continued_line_keeps_its_options() -> None:
    text = "run:\n    -docker run \\\n      -v a:b image\n"
    assert justfile.as_shell(text) == "    \n     docker run \\\n      -v a:b image\n"


def test_a_variable_that_is_set_twice_is_not_known() -> None:
    text = 'a := "1"\nexport b-c := \'2\'\na := "3"\nd := a + "4"\n'
    assert justfile.variables(text) == {"b_c": "2"}


@given(st.lists(_PARTS).map("".join))
def test_each_character_stays_at_its_place(text: str) -> None:
    result = justfile.as_shell(text)
    assert len(result) == len(text)
    assert [at for at, char in enumerate(text) if char == "\n"] == [
        at for at, char in enumerate(result) if char == "\n"
    ]


def test_a_long_line_that_does_not_close_takes_no_time() -> None:
    text = "    {{" + " " * 200_000
    assert len(justfile.as_shell(text)) == len(text)
