"""Questions from inside are read strictly: everything in them is chosen by whoever runs there."""

from __future__ import annotations

import pytest

from sandboxd.egress.questions import Ask, NotAQuestion, answer_line, read


def test_a_question() -> None:
    why = b"a library is \x1b[2Jthere"
    assert read("/ask?name=New.example.org.&port=22&wait=30", why) == Ask(
        "new.example.org", 22, "a library is \x1b[2Jthere", 30
    )
    assert read("/ask?name=a.org", b"") == Ask("a.org", 443, "", 0)


def test_the_parts_of_a_question_are_bounded() -> None:
    ask = read("/ask?name=a.org&wait=3600", b"\xff" + b"y" * 9999)
    assert ask.wait == 60
    assert ask.why == "\N{REPLACEMENT CHARACTER}" + "y" * 499


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/ask",
        "/ask?",
        "/ask?port=443",
        "/ask?name=",
        "/ask?name=10.0.0.1",
        "/ask?name=localhost",
        "/ask?name=a.org%0ab.org",
        "/ask?name=a.org&name=b.org",
        "/ask?name=a.org&id=1",
        "/ask?name=a.org&port=0",
        "/ask?name=a.org&port=65536",
        "/ask?name=a.org&port=-1",
        "/ask?name=a.org&port=\N{SUPERSCRIPT TWO}",
        "/ask?name=a.org&port=" + "9" * 5000,
        "/ask?name=a.org&wait=1e3",
        "/ask?name=a.org&&port=1&wait=1&x=1",
        "//evil.org/ask?name=a.org",
        "http://evil.org/ask?name=a.org",
        "//[/ask?name=a.org",
    ],
)
def test_anything_else_is_refused(target: str) -> None:
    with pytest.raises(NotAQuestion):
        read(target, b"")


def test_an_answer_is_one_line() -> None:
    assert answer_line("denied", "by a person\r\nopen") == b"denied by a person open\n"
    assert answer_line("open") == b"open\n"
