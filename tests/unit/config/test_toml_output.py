"""TOML that sandboxd writes by itself."""

from __future__ import annotations

import tomllib

import pytest

from sandboxd import toml_output
from sandboxd.errors import UsageError


@pytest.mark.parametrize("content", ["a", 'say "a"\n', 3, True, ["a", "b"], []])
def test_a_value_reads_as_what_was_written(content: object) -> None:
    assert tomllib.loads(f"x = {toml_output.value(content)}")["x"] == content


@pytest.mark.parametrize(
    "write", [toml_output.value, lambda text: toml_output.document({"a": text}, "")]
)
def test_a_name_that_is_not_utf8_is_refused(write: object) -> None:
    assert callable(write)
    with pytest.raises(UsageError, match="bytes that are not UTF-8"):
        write("/work/\udcff")
