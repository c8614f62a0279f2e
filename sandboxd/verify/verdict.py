"""The verdict on a sandbox: what came of each attempt, and whether the sandbox held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK

if TYPE_CHECKING:
    from sandboxd.verify.judge import Outcome
    from sandboxd.verify.place import Place

Attacked = Literal["sandbox", "plan", "pod"]


class Result(NamedTuple):
    """One attempt: `expected` is what should stop it under this runtime."""

    id: str
    title: str
    outcome: Outcome
    expected: str
    evidence: str
    group: str = ""
    """``egress`` for a way out by the network."""


class Verdict(NamedTuple):
    """`runtime` is the name the engine knows it by; `kernel` is ``host`` or ``own``.

    `attacked` is whose settings the replica had: those of a ``sandbox`` in use, or of a ``plan``; or it is a
    ``pod`` itself, at `place`.
    """

    container: str
    runtime: str
    kernel: str
    profile: str
    results: tuple[Result, ...]
    attacked: Attacked = "sandbox"
    place: Place | None = None
    made_as: str = ""
    """The profile that the container was made with, where it is judged by another: that of the plan of now."""

    def of(self, outcome: Outcome) -> list[Result]:
        return [result for result in self.results if result.outcome == outcome]

    @property
    def held(self) -> bool:
        """True if nothing escaped and nothing is unclear. Residual surface is declared, not held."""
        return bool(self.of("held")) and not self.of("escaped") and not self.of("inconclusive")

    @property
    def exit_code(self) -> int:
        """The exit code: 6 when something escaped, 4 when it could not be shown that the sandbox held."""
        if self.of("escaped"):
            return EXIT_NOT_HELD
        return EXIT_OK if self.held else EXIT_ENVIRONMENT
