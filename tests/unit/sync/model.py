"""Sides as mappings, for what is pure: their snapshots, and what steps make of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping

from sandboxd.sync.compare import Comparison, compare
from sandboxd.sync.flows import Policy
from sandboxd.sync.names import Reading
from sandboxd.sync.state import FOLDER, Content, Entry, Kind, Root, Snapshot, above
from sandboxd.sync.steps import Act, Step

Tree = dict[str, Content]

EXACT = Reading(folds=False, has_short_names=False)
"""As ext4 reads names."""


class _All:
    def __contains__(self, path: object) -> bool:
        return True


ALL: Container[str] = _All()
"""Every path, where nobody is asked."""


def file(text: str, executable: bool = False) -> Content:
    return Content(Kind.FILE, hashlib.sha256(text.encode()).hexdigest(), executable)


def link(target: str) -> Content:
    return Content(Kind.LINK, target)


def of(entries: Mapping[str, Content | str | None]) -> Tree:
    """A tree: a text stands for a file that holds it, None for a folder; folders above are added."""
    result: Tree = {}
    for path, content in entries.items():
        up = path
        while up := above(up):
            result.setdefault(up, FOLDER)
        if content is None:
            result[path] = FOLDER
        else:
            result[path] = file(content) if isinstance(content, str) else content
    return result


def snapshot(
    side: Tree,
    policy: Policy | None = None,
    number: int = 1,
    unknown: Iterable[str] = (),
) -> Snapshot:
    """What a scan says of a side, of which `unknown` cannot be read."""
    excludes = (policy or Policy()).excludes
    shut: dict[str, bool] = {}
    hidden = set(unknown)
    for path in sorted(side, key=lambda path: path.count("/")):
        up = above(path)
        if up in shut:
            shut[path] = False
        elif path in hidden or excludes(path, side[path].kind is Kind.FOLDER):
            shut[path] = True
    firsts = {path for path, is_first in shut.items() if is_first}
    return Snapshot(
        Root(1, number),
        {path: Entry(content) for path, content in side.items() if path not in shut},
        excluded=frozenset(firsts - hidden),
        unknown=dict.fromkeys(firsts & hidden, "permission denied"),
    )


def perform(side: Tree, steps: Iterable[Step]) -> None:
    """Do `steps`, each as a file system would; an impossible one fails."""
    for step in steps:
        path, above_it = step.path, above(step.path)
        assert not above_it or side[above_it].kind is Kind.FOLDER, step
        if step.act is Act.CREATE:
            assert path not in side, step
            assert step.after is not None
            side[path] = step.after
            continue
        assert step.before is not None
        assert side[path] == step.before.content, step
        below = [each for each in side if each.startswith(f"{path}/")]
        if step.act is Act.ASIDE:
            new = f"{above_it}/{step.name}" if above_it else step.name
            assert new not in side, step
            for each in [path, *below]:
                side[new + each[len(path) :]] = side.pop(each)
        elif step.act is Act.REMOVE:
            assert not below, step
            del side[path]
        else:
            assert step.after is not None
            assert Kind.FOLDER not in (side[path].kind, step.after.kind)
            side[path] = step.after


class Pair:
    """Two sides that are kept the same."""

    def __init__(
        self, host: Tree, inside: Tree, agreed: Tree | None = None, policy: Policy | None = None
    ) -> None:
        self.host, self.inside, self.agreed = dict(host), dict(inside), dict(agreed or {})
        self.policy = policy or Policy()

    def compare(
        self,
        *,
        reading: Reading = EXACT,
        allowed: Container[str] = ALL,
        why_no_link: Callable[[str, str], str] = lambda _path, _target: "",
        unknown_host: Iterable[str] = (),
        unknown_inside: Iterable[str] = (),
    ) -> Comparison:
        return compare(
            snapshot(self.host, self.policy, 1, unknown_host),
            snapshot(self.inside, self.policy, 2, unknown_inside),
            self.agreed,
            self.policy,
            reading=reading,
            allowed=allowed,
            why_no_link=why_no_link,
        )

    def agree(self, comparison: Comparison) -> None:
        for path, content in comparison.agreed.items():
            if content is None:
                self.agreed.pop(path, None)
            else:
                self.agreed[path] = content

    def once(self, **options: object) -> Comparison:
        """Compare, and do what that says."""
        comparison = self.compare(**options)  # type: ignore[arg-type]
        self.agree(comparison)
        perform(self.host, comparison.host)
        perform(self.inside, comparison.inside)
        return comparison

    def settle(self, **options: object) -> Comparison:
        """Compare until nothing is left to do; the last comparison."""
        for _ in range(6):
            comparison = self.once(**options)
            if not comparison.host and not comparison.inside:
                return comparison
        raise AssertionError(f"no rest: {comparison}")
