"""Words in what a program renders as markup. The pages and reports have tests of their own beside them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from sandboxd.markup import in_cell, in_html, in_label, in_message

# How VS Code finds links in a notification (src/vs/base/common/linkedText.ts).
LINK = re.compile(
    r"\[([^\]]+)\]\(((?:https?://|command:|file:)[^)\s]+)(?: ([\"'])(.+?)(\3))?\)", re.I
)
TEXTS = st.text(alphabet="[](){}<>!|`*\\\\$&:/ \nacommand:", max_size=80)


def test_a_message_has_no_button() -> None:
    evil = "no profile `[Repair](command:workbench.action.quit)`, [x](https://e.example 'y')"
    assert LINK.search(evil)
    assert in_message(evil) == evil.replace("](", "] (")


@given(st.text(alphabet="\x1b\x07\x9b\r\u202e\u2066\u200b\ufeff a]\n("))
def test_a_message_drives_no_terminal_and_turns_no_letters_round(text: str) -> None:
    """Neovim, Helix and Emacs show it in a terminal."""
    assert all(char.isprintable() or char == "\n" for char in in_message(text))
    assert in_message(in_message(text)) == in_message(text)


@given(TEXTS)
def test_no_text_is_a_link_in_a_message(text: str) -> None:
    assert not LINK.search(in_message(f"[a]{text}(command:x)"))
    assert in_message(in_message(text)) == in_message(text)
    assert "$(" not in in_label(text)


@given(TEXTS)
def test_no_text_is_markup_in_a_cell_or_a_page(text: str) -> None:
    assert not set("[]<>|`*_\\\\\n").intersection(in_cell(text))
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(f"<p title='{in_html(text)}'>{in_html(text)}</p>")
    assert tags == ["p"]


def test_words_alone_are_not_changed() -> None:
    text = "`--cap-add=ALL` gives it all: see (1), a[0] and $HOME"
    assert in_message(text) == in_label(text) == text
