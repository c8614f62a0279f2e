"""The metadata service of a cloud: a way there that is missing is told from an answer."""

from __future__ import annotations

import errno
import os

import pytest

from sandboxd.inside.escapes import cloud_metadata


def test_the_metadata_service_without_a_route_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # TCP to a group of receivers fails at once, as without a route.
    monkeypatch.setattr(cloud_metadata, "_ADDRESSES", ("224.0.0.1",))
    with pytest.raises(OSError) as raised:
        cloud_metadata.attempt({})
    assert raised.value.errno == errno.ENETUNREACH
    assert raised.value.strerror == os.strerror(errno.ENETUNREACH)
