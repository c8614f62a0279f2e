"""Random trees for what is pure, each told by a number."""

from __future__ import annotations

from random import Random

from sandboxd.sync.flows import Policy
from sandboxd.sync.state import FOLDER, Content, above
from tests.unit.sync.model import Pair, Tree, file, link

NAMES = ("a", "b", "A", ".vscode", "conftest.py", "HEAD", "config", "build", "secret", "dist")
POLICY = Policy(
    is_hidden=lambda path, _: path.rpartition("/")[2] == "secret",
    is_ignored=lambda path, is_folder: is_folder and path.rpartition("/")[2] == "build",
    is_outward=lambda path: path.split("/")[0] == "dist",
)


def random_path(random: Random) -> str:
    return "/".join(random.choices(NAMES, k=random.randint(1, 3)))


def random_content(random: Random) -> Content:
    match random.randrange(4):
        case 0:
            return FOLDER
        case 1:
            return link(random.choice("ab"))
    return file(random.choice("wxyz"), random.random() < 0.3)


def add(random: Random, tree: Tree, most: int) -> Tree:
    """`tree` with up to `most` more entries, where there is room for them."""
    tree = dict(tree)
    for _ in range(random.randint(0, most)):
        path, content = random_path(random), random_content(random)
        ups = []
        up = path
        while up := above(up):
            ups.append(up)
        if any(tree.get(up, FOLDER) != FOLDER for up in ups):
            continue
        if content != FOLDER and any(each.startswith(f"{path}/") for each in tree):
            continue
        tree |= dict.fromkeys(ups, FOLDER)
        tree[path] = content
    return tree


def changed(random: Random, tree: Tree) -> Tree:
    """`tree` after a few removals and changes."""
    result = {path: content for path, content in tree.items() if random.randrange(5)}
    for path in list(result):
        up = path
        while up := above(up):
            if up not in result:
                del result[path]
                break
    return add(random, result, 5)


def pair_of(number: int) -> Pair:
    """Two sides that came from one, and what they agreed upon."""
    random = Random(number)
    agreed = add(random, {}, 8)
    return Pair(changed(random, agreed), changed(random, agreed), agreed, POLICY)
