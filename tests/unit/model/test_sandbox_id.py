"""One text for a workspace and a name: taken apart as it was put together, and never another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.errors import UsageError
from sandboxd.model.sandbox_id import (
    check_name,
    describe,
    name_of,
    name_option,
    sandbox_id,
    workspace_of,
)
from sandboxd.plan.container_name import container_name

FOLDERS = st.lists(st.text("ab-. ü", min_size=1, max_size=5), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
NAMES = st.from_regex(r"\A[a-z0-9][a-z0-9_.-]{0,31}\Z")


@given(FOLDERS, st.just("") | NAMES)
def test_it_is_taken_apart_as_it_was_put_together(workspace: str, name: str) -> None:
    text = sandbox_id(workspace, check_name(name))
    assert (workspace_of(text), name_of(text)) == (workspace, name)


@given(FOLDERS, NAMES)
def test_no_folder_is_another_sandbox(workspace: str, name: str) -> None:
    names = {
        container_name(text) for text in (workspace, f"{workspace}/{name}", f"{workspace}//{name}")
    }
    assert len(names) == 3


@pytest.mark.parametrize("name", ["-a", "A", "a/b", "../a", "a b", "a\n", "ü", "a" * 33, "."])
def test_what_would_be_part_of_another_path_is_no_name(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


@pytest.mark.parametrize(("name", "option"), [("", ""), ("login", " --name login")])
def test_it_is_shown_with_the_option_that_chooses_it(name: str, option: str) -> None:
    text = sandbox_id("/home/ann/shop", name)
    assert name_option(text) == option
    assert describe(text) == f"/home/ann/shop{option}"
