"""The fixtures of tests that have agents at work: a person with a project, an engine, and what agents talk to."""

from __future__ import annotations

from tests.e2e.test_agents import engine, image, person, private_engine, services, state
from tests.e2e.test_egress import pytest_generate_tests, runtime

__all__ = [
    "engine",
    "image",
    "person",
    "private_engine",
    "pytest_generate_tests",
    "runtime",
    "services",
    "state",
]
