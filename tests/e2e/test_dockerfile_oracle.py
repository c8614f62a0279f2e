"""What the engine's builder makes of a Dockerfile is what we read in it.

The builder reads by BuildKit's parser. Images of nothing but settings need no base and run nothing.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandboxd.formats import devcontainer, dockerfile
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.files import Files
from sandboxd.model.image import image, pairs
from sandboxd.text import SourceText
from tests.spellings import respelled

pytestmark = pytest.mark.engine

TRIES = int(os.environ.get("SANDBOXD_MUTATIONS", "20"))
PLAIN = """\
FROM scratch
ARG WHO=dev
ENV A=1 B="two words" C=x\\ y
ENV OLD the old form
LABEL a=b "c d"='e f'
ONBUILD ENV LATER=1
USER ${WHO}
ONBUILD USER root
LABEL last="$A-${B}"
"""
WRITTEN = {
    "two backslashes end a line": "FROM scratch\nENV A=x\\\\\nUSER dev\n",
    "three backslashes, too": "FROM scratch\nENV A=x\\\\\\\nUSER dev\n",
    "a backslash alone on a line": "FROM scratch\nENV \\\n\\\n A=1\nUSER dev\n",
    "another escape character": "# escape=`\nFROM scratch\nENV A=1 `\n  B=2\nENV C=c:\\\nUSER dev\n",
    "it hides the next one, a backslash does not": (
        "# escape=`\nFROM scratch\nENV A=\"a`\"b\" B=c:\\x C=a`b D=`` OLD=1\nUSER d`ev\n"
    ),
    "an unknown directive ends them": "# x=1\n# escape=`\nFROM scratch\nENV A=1 \\\n B=2\nUSER dev\n",
    "a shebang ends all but syntax": "#!/x\n# escape=`\nFROM scratch\nENV A=1 \\\n B=2\nUSER dev\n",
    "a comment between": "FROM scratch\nENV A=1 \\\n  # B=2 \\\n\n  C=3\nUSER dev\n",
    "quotes and escapes": "FROM scratch\nENV A=\"a\\\"b\" B='a\\b' C=a\\\"b D=\"a'b\"\nUSER \"dev\"\n",
    "keywords in any case": "from scratch\n\teNv A=1\n  uSeR dev\n",
    "a word over two lines": "FROM scratch\nEN\\\nV A=on\\\ne\nUS\\\nER dev\n",
}  # fmt: skip


def theirs(text: str, folder: Path, engine: str) -> dict[str, Any] | None:
    """The settings of the image that the builder makes; None for a text that it refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(text)
    environ = {**os.environ, "DOCKER_HOST": engine, "DOCKER_BUILDKIT": "0"}
    built = subprocess.run(
        ["docker", "build", "-q", str(folder)],
        env=environ, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if built.returncode != 0:
        return None
    shown = subprocess.run(
        ["docker", "image", "inspect", "-f", "{{json .Config}}", built.stdout.strip()],
        env=environ, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    config = json.loads(shown.stdout)
    return {
        "env": [e for e in config["Env"] or () if not e.startswith("PATH=")],
        "labels": config["Labels"] or {},
        "user": config["User"],
        "onbuild": config["OnBuild"] or [],
    }


def ours(text: str) -> dict[str, Any]:
    source = SourceText("/p/Dockerfile", text)
    document = devcontainer.parse(
        SourceText("/p/.devcontainer.json", '{"build": {"dockerfile": "Dockerfile"}}')
    )
    read = effective(document, Variables(files=Files({source.path: source})))
    assert read is not None
    env = {pair.value.name: pair.value.value for pair in read.env}
    our_image = image(dockerfile.parse(source))
    stage = our_image.target()
    assert stage is not None
    labels = [
        pair for one in stage.instructions if one.keyword == "LABEL" for pair, _ in pairs(one)
    ]
    triggers = [one.text.text for one in stage.instructions if one.keyword == "ONBUILD"]
    return {
        "env": [f"{name}={value}" for name, value in env.items()],
        "labels": {
            pair.name: pair.value.replace("$A", env.get("A", "")).replace("${B}", env.get("B", ""))
            for pair in labels
        },
        "user": read.user.value if read.user is not None else "",
        "onbuild": [" ".join(text.split()) for text in triggers],
    }


@pytest.mark.parametrize("name", WRITTEN)
def test_the_builder_reads_as_we_do(name: str, tmp_path: Path, engine: str) -> None:
    built = theirs(WRITTEN[name], tmp_path / "image", engine)
    assert built is not None
    assert ours(WRITTEN[name]) == built


def test_the_builder_takes_other_spellings_for_the_same(tmp_path: Path, engine: str) -> None:
    same = 0
    for number in range(TRIES):
        text = respelled(PLAIN, "dockerfile", random.Random(number), 3)
        built = theirs(text, tmp_path / str(number), engine)
        if built is not None:
            same += 1
            built["onbuild"] = [" ".join(trigger.split()) for trigger in built["onbuild"]]
            assert ours(text) == built, text
    assert same > TRIES / 2
