"""The verdict on a sandbox: the outcome of each attempt, and whether the sandbox held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK

if TYPE_CHECKING:
    from sandboxd.verify.judge import Outcome
    from sandboxd.verify.place import Place

Attacked = Literal["sandbox", "plan", "pod"]


class Result(NamedTuple):
    """The result of one attempt; `expected` is what should stop it under this runtime."""

    id: str
    title: str
    outcome: Outcome
    expected: str
    evidence: str
    group: str = ""
    """``egress`` for attempts about the network; '' for others."""


class Verdict(NamedTuple):
    """The results of all attempts. `runtime` is its name in the engine; `kernel` is ``host`` or ``own``.

    `attacked` says whose settings the replica had: those of a ``sandbox`` in use, or of a ``plan``; or that the
    attempts were made in a ``pod`` itself, at `place`.
    """

    container: str
    runtime: str
    kernel: str
    profile: str
    results: tuple[Result, ...]
    attacked: Attacked = "sandbox"
    place: Place | None = None
    made_as: str = ""
    """The profile with which the container was created, if it is judged by another one, that of the present plan; else
    ''.
    """

    def of(self, outcome: Outcome) -> list[Result]:
        return [result for result in self.results if result.outcome == outcome]

    @property
    def held(self) -> bool:
        """Whether nothing escaped and nothing is inconclusive. Residual outcomes are declared and do not count."""
        return bool(self.of("held")) and not self.of("escaped") and not self.of("inconclusive")

    @property
    def exit_code(self) -> int:
        """The exit code: 6 if something escaped, 4 if it could not be shown that the sandbox held, otherwise 0."""
        if self.of("escaped"):
            return EXIT_NOT_HELD
        return EXIT_OK if self.held else EXIT_ENVIRONMENT
