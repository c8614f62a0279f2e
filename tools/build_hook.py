"""Runs when a wheel is built: adds what is made from the code, so that it cannot be out of date.

The manual page, the completions of three shells and the JSON schema of `sandboxd.toml`, each where
a system looks for it below the prefix of the installation. It needs nothing but the standard library.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildHook(BuildHookInterface[Any]):
    """Makes the files in a folder of its own, which is gone when the wheel is there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # it is taken from the checkout
            return
        sys.path.insert(0, self.root)
        try:
            generated_files = importlib.import_module("tools.installed_files").files()
        finally:
            sys.path.remove(self.root)
        self._folder = tempfile.mkdtemp(prefix="sandboxd-build-")
        for place, text in generated_files.items():
            source = os.path.join(self._folder, place.replace("/", "-"))
            with open(source, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            build_data["shared_data"][source] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        del build_data, artifact_path
        if version != "editable":
            shutil.rmtree(self._folder)
