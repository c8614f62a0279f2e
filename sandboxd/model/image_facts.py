"""Facts about an image from an engine or a registry, as data: a check asks neither."""

from __future__ import annotations

from typing import NamedTuple


class ImageFacts(NamedTuple):
    """`user` is whom it runs as, '' for root; `metadata` its label ``devcontainer.metadata``, ''
    when it has none. None where that is not known."""

    user: str | None = None
    metadata: str | None = None
