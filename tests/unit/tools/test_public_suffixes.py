"""The compact list of public suffixes that ships, and how it is made."""

from __future__ import annotations

import pytest

from sandboxd.egress.names import Pattern
from sandboxd.egress.suffixes import too_wide
from tools.public_suffixes import OUTPUT, compact

LIST = """\
// VERSION: 2026-01-02_03-04-05_UTC
// ===BEGIN ICANN DOMAINS===
com
co.uk
*.ck
!www.ck
公司.cn
"""


def test_comments_and_single_labels_are_left_out_and_names_are_punycode() -> None:
    head, *rules = [line for line in compact(LIST).splitlines() if not line.startswith("//")]
    assert [head, *rules] == ["!www.ck", "*.ck", "co.uk", "xn--55qx5d.cn"]
    assert "2026-01-02_03-04-05_UTC" in compact(LIST)


def test_a_list_without_a_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        compact("com\n")


def test_what_ships_says_its_source_and_is_sorted() -> None:
    lines = OUTPUT.read_text("ascii").splitlines()
    head = [line for line in lines if line.startswith("//")]
    assert any("publicsuffix.org" in line for line in head)
    assert any("Mozilla Public" in line for line in head)
    assert lines[len(head) :] == sorted(lines[len(head) :])
    assert all("." in line for line in lines[len(head) :])


@pytest.mark.parametrize(
    ("host", "wide"),
    [
        ("com", True),
        ("co.uk", True),
        ("github.io", True),
        ("foo.ck", True),
        ("www.ck", False),
        ("city.kawasaki.jp", False),
        ("kawasaki.jp", True),
        ("amazonaws.com", True),
        ("example.com", False),
        ("example.co.uk", False),
        ("me.github.io", False),
    ],
)
def test_a_wildcard_is_too_wide_where_anybody_may_have_a_name_below(host: str, wide: bool) -> None:
    assert bool(too_wide(Pattern(host, below=True))) is wide
    assert too_wide(Pattern(host)) == ""
