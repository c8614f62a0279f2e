"""The variables that each instruction of a Dockerfile can use: build arguments and environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model.image import pairs, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.model.image import Image, Stage
    from sandboxd.syntax.dockerfile import Instruction

    Scope = dict[str, str | None]


def steps(
    image: Image, stage: Stage, given: Mapping[str, str] | None = None
) -> Iterator[tuple[Instruction, Scope]]:
    """Yield each instruction that contributes to the stage, with the variables as they are before it.

    `given` are the build arguments of one build; an argument without a default that is not among them is empty. Without
    `given`, the value of an argument is not known, and is None.
    """
    scope: Scope = {}
    for current in image.lineage(stage):
        arguments: set[str] = set()
        for instruction in image.steps(current):
            yield instruction, scope
            if instruction.keyword == "ENV":
                # All variables of one instruction see the environment before it.
                values = {pair.name: resolve(pair.value, scope) for pair, _ in pairs(instruction)}
                scope.update(values)
                arguments.difference_update(values)
            elif instruction.keyword == "ARG":
                for pair, _ in pairs(instruction):
                    if pair.name not in scope:
                        arguments.add(pair.name)
                    if pair.name in arguments:
                        scope[pair.name] = _argument(image, pair.name, pair.value, scope, given)
        # ENV goes on into the stages that build upon this one, ARG does not.
        for name in arguments:
            del scope[name]


def _argument(
    image: Image, name: str, default: str, scope: Scope, given: Mapping[str, str] | None
) -> str | None:
    if given is not None and name in given:
        return given[name]
    text = resolve(default or image.arguments.get(name, ""), scope)
    return text if text or given is not None else None
