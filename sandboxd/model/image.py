"""The image that a Dockerfile builds: its stages, each with its base image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Place
from sandboxd.model.container import Pair
from sandboxd.model.values import Origin, Value
from sandboxd.syntax.dockerfile import DockerfileNode, Instruction, Word, unquote
from sandboxd.syntax.node import Node
from sandboxd.syntax.substitution import substitute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from sandboxd.model.document import Document
    from sandboxd.text import Span


# Variables that refer to each other can double in size with each line; real files stay far below.
MOST_VARIABLES = 64
LONGEST = 1024


class Stage(NamedTuple):
    """One stage of a Dockerfile.

    `base` is the image in `FROM`, with the defaults of build arguments filled in; `parent` is the index of the stage on
    which it is based, None if it is based on an image.
    """

    number: int
    name: str
    base: Value[str] | None
    parent: int | None
    instructions: tuple[Instruction, ...]


class Image(NamedTuple):
    """The content of a Dockerfile. `directives` are its ``# name=value`` lines."""

    path: str
    place: Place
    stages: tuple[Stage, ...]
    directives: Mapping[str, Value[str]]
    nodes: tuple[Node, ...]
    arguments: Mapping[str, str] = {}
    """The build arguments that are declared before the first stage, with their default values."""

    def target(self, name: str | None = None) -> Stage | None:
        """The stage to build: the one with this name or number; the last one if there is none such or `name` is None.

        :returns: None if the file has no stage
        """
        if not self.stages:
            return None
        for stage in self.stages if name else ():
            if stage.name == str(name).lower() or str(stage.number) == name:
                return stage
        return self.stages[-1]

    def lineage(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages on which `stage` is based, outermost base first, and `stage` itself last."""
        stages = [stage]
        while stages[0].parent is not None:
            stages.insert(0, self.stages[stages[0].parent])
        return tuple(stages)

    def steps(self, stage: Stage) -> tuple[Instruction, ...]:
        """The instructions of a stage: the `ONBUILD` triggers of its parent, then its own."""
        if stage.parent is None:
            return stage.instructions
        triggers = (step.triggered() for step in self.stages[stage.parent].instructions)
        return (*(step for step in triggers if step is not None), *stage.instructions)

    def instructions(self, *keywords: str) -> Iterator[Instruction]:
        """Yield the instructions with these keywords in all stages, in the order of the file.

        Those after `ONBUILD` are included: they are executed in every image that is based on this one.
        """
        for stage in self.stages:
            for written in stage.instructions:
                instruction = written.triggered() or written
                if instruction.keyword in keywords:
                    yield instruction

    def value(self, normal: Any, span: Span, written: str, key: str) -> Value[Any]:
        """A value with its place in the file and the node that an edit changes."""
        node = Node("string", span, written)
        origin = Origin("file", self.path, key)
        return Value(normal, origin, Place(self.path, span), written, (node,))

    def whole(self, instruction: Instruction, written: str) -> Value[str]:
        """A whole instruction as a value, so that an edit can remove it."""
        for node in self.nodes:
            if node.span == instruction.span:
                place = Place(self.path, instruction.text.span(0, len(instruction.text.text)))
                origin = Origin("file", self.path, instruction.keyword)
                return Value(written, origin, place, written, (node,))
        return self.value(written, instruction.span, written, instruction.keyword)


def image(document: Document, build_args: Mapping[str, str] | None = None) -> Image:
    """The image that a parsed Dockerfile describes.

    :param build_args: build arguments by name
    """
    root, path = document.tree.root, document.source.path
    instructions = root.instructions if isinstance(root, DockerfileNode) else []
    directives = root.directives if isinstance(root, DockerfileNode) else {}
    start = instructions[0].span if instructions else (0, 0)
    empty = Image(path, Place(path, _span(start)), (), {}, tuple(root.items) if root else ())
    arguments: dict[str, str] = {}
    return empty._replace(
        stages=tuple(_stages(empty, instructions, arguments, build_args or {})),
        arguments=arguments,
        directives={
            name: empty.value(word.value, word.span, word.value, name)
            for name, word in directives.items()
        },
    )


def _span(pair: Any) -> Span:
    from sandboxd.text import Span

    return Span(pair[0], pair[1])


def _stages(
    empty: Image,
    instructions: list[Instruction],
    arguments: dict[str, str],
    build_args: Mapping[str, str],
) -> Iterator[Stage]:
    """The stages in their order; fills `arguments` with the global ones."""
    names: dict[str, int] = {}
    sections: list[tuple[Instruction, list[Instruction]]] = []
    for instruction in instructions:
        if instruction.keyword == "FROM":
            sections.append((instruction, []))
        elif sections:
            sections[-1][1].append(instruction)
        elif instruction.keyword == "ARG":
            for pair, _ in pairs(instruction):
                if pair.name in build_args:
                    arguments[pair.name] = build_args[pair.name]
                elif pair.value or pair.name not in arguments:
                    arguments[pair.name] = resolve(pair.value, arguments)
    for number, (source, body) in enumerate(sections):
        words = source.words()
        base = words[0] if words else None
        name = words[2].value.lower() if len(words) > 2 and words[1].value.lower() == "as" else ""
        parent = value = None
        if base is not None:
            image = resolve(base.value, arguments)
            parent = names.get(image.lower())
            value = empty.value(image, base.span, base.value, "FROM")
        yield Stage(number, name, value, parent, tuple(body))
        if name:
            names[name] = number


def resolve(text: str, variables: Mapping[str, str] | Mapping[str, str | None]) -> str:
    """`text` with the known variables filled in; unchanged if it would become too long."""
    if text.count("$") > MOST_VARIABLES:
        return text
    expansion = substitute(text, variables.get)
    return expansion if len(expansion) <= max(LONGEST, len(text)) else text


def pairs(instruction: Instruction) -> Iterator[tuple[Pair, Word]]:
    """Yield the names and values of ENV, ARG or LABEL, each with its word in the file.

    ``ENV NAME value`` is the old form for one name; ``ARG NAME`` has no value.
    """
    words = instruction.words()
    if not words:
        return
    if instruction.keyword != "ARG" and "=" not in words[0].value:
        text = instruction.text.text
        _, _, rest = text.strip().partition(words[0].value)
        span = words[0].span._replace(end=words[-1].span.end)
        yield Pair(words[0].value, unquote(rest.strip(), instruction.escape)), Word(text, span)
        return
    for word in words:
        name, _, value = word.value.partition("=")
        yield Pair(name, value), word
