"""The changes that the sandbox made in its private copy of the workspace, and the way to bring them here.

A line for each file, under one that counts them; `--diff` shows the differences, too, and so does `--apply`,
which writes what was shown. Files that make tools on the host act (git, editors,
CI, AI agents) and symbolic links are marked: `--apply` brings them only when `--include` names them, and
nothing in `.git` ever. What was deleted stays here unless `--deletions` asks for it, or `--include` names
it; many deletions at once need their number as an answer. Commits come with `--save`, as refs below `refs/sandboxd`: look at them with
`git log` and `git diff`, merge what you want. Nothing is checked out.

Where the sandbox works on your folder itself, commits pass by themselves. Those that cannot, since both sides made some,
wait below `refs/sandboxd`: `--take` moves your branch forward or merges them, without touching a file. It takes what
waited when it began, or what `--expect` names: a tip that moved meanwhile stays, and its id is said.

With the layout `synced` files pass by themselves: what differs and stays inside is shown. Where many files would be
removed, `--apply --deletions N` removes them, and `--restore` restores them. What was removed or overwritten here is
kept for seven days, with what a sandbox took with it that had not passed: `--kept` lists it, `--restore PATH` writes the
last version of a file, beside what is there by now.

Without a running sandbox, what was kept when the last one ended is shown.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli import review_commits
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, UsageError
from sandboxd.review.choice import DELETION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.review.changes import Changes
    from sandboxd.review.weigh import Item

HELP = "show what the sandbox changed in its copy, and bring it"

NEEDS = {"kept": "keep the same", "restore": "keep the same"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""

_MOST_NAMED = 3
_COLOURS = {"+": terminal.GREEN, "-": terminal.RED, "@": terminal.BLUE}


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    parser.add_argument("--stat", action="store_true", help="only the line for each file")
    parser.add_argument("--diff", action="store_true", help="show the differences, too")
    parser.add_argument(
        "--apply", action="store_true", help="write the changes that were shown into the workspace"
    )
    parser.add_argument(
        "--expect",
        metavar="DIGEST",
        help="with --apply: only while the changes are those of this `digest` of --json; with --take: only while this "
        "commit is the branch's tip, by its whole id",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the changes with both contents as JSON"
    )
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PATH",
        help="with --apply: also this marked file; can be given more than once",
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="PATH",
        help="with --apply: nothing but this file, marked, deleted or neither; can be given more than once; "
        "`-` reads such paths from standard input, each ended by a NUL",
    )
    parser.add_argument(
        "--deletions",
        nargs="?",
        type=int,
        const=0,
        metavar="N",
        help="with --apply: also delete what was deleted; N answers the question that many ask",
    )
    parser.add_argument(
        "--restore",
        nargs="?",
        const=True,
        metavar="PATH",
        help="with the layout `synced`: restore what was removed and waits for an answer; with PATH, the last version of "
        "that file among those of `--kept`",
    )
    parser.add_argument(
        "--kept",
        action="store_true",
        help="with the layout `synced`: list the files that are kept after they were removed or overwritten here, or "
        "went with a sandbox",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="with --apply: do not ask")
    parser.add_argument(
        "--save", action="store_true", help="keep the changes, and the commits as refs/sandboxd/*"
    )
    parser.add_argument(
        "--take",
        nargs="?",
        const="",
        metavar="BRANCH",
        help="take the commits that wait below refs/sandboxd: of this branch, of all without one; with `--expect ID "
        "--yes` also what enters another repository or changes files that are shut inside",
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.backends.backend import Collected
    from sandboxd.cli import review_document, synced_review
    from sandboxd.cli.operating import operate
    from sandboxd.operations.options import SandboxOptions
    from sandboxd.operations.review import reviewed
    from sandboxd.review import rescue
    from sandboxd.review import streams as kept_streams
    from sandboxd.screen import duration

    _require_whole(args)
    if args.take is not None:
        from sandboxd.cli.taking import take

        folder, name = _sandbox.folder(args), _sandbox.name(args)
        return take(folder, name, args.take, args.expect, acting=args.yes)
    of = (_sandbox.folder(args), _sandbox.name(args), _option(args))
    is_kept_the_same = not _sandbox.lacks(args, NEEDS["kept"])
    if is_kept_the_same and (code := synced_review.run(args, *of)) is not None:
        return code
    options = SandboxOptions(name=_sandbox.name(args))
    collected = Collected(**operate("review", _sandbox.folder(args), options, on=args.on))
    if not collected.path:
        _say_there_is_no_copy(args.json)
        return EXIT_OK
    with reviewed(collected, keep=args.save) as review:
        changes, items = review.changes, review.items
        if args.json:
            _print_json(review_document.document(review))
            return EXIT_OK
        if review.ended is not None:
            age = duration(review.ended)
            terminal.status(f"of a sandbox that ended {age} ago: `{changes.path}`")
        only = _only(args.only)
        _require_known(args.include if only is None else only, items, _option(args))
        _require_expected(args.expect, items, _option(args))
        _show(changes, items, args.diff or (args.apply and not args.stat), _option(args))
        if args.save:
            refs, problem = rescue.bring_commits(changes)
            for ref in refs:
                print(terminal.one_line(ref))
            if problem:
                terminal.status(problem)
            terminal.status(f"kept: `{changes.path}`")
            for line in kept_streams.prune():
                terminal.status(line)
        if args.apply:
            if only is None:
                return _apply(changes, items, args.include, args)
            named = set(only)
            chosen = tuple(item for item in items if item.path in named)
            return _apply(changes, chosen, only, args)
    return EXIT_OK


def _only(words: list[str] | None) -> list[str] | None:
    """The paths that `--only` names, None where nothing does."""
    if words is None:
        return None
    paths = [word for word in words if word != "-"]
    if len(paths) < len(words):
        paths += [os.fsdecode(path) for path in sys.stdin.buffer.read().split(b"\0") if path]
    return paths


def _require_whole(args: argparse.Namespace) -> None:
    """:raises UsageError: options that mean nothing together"""
    if args.take is not None:
        from sandboxd.cli import taking

        taking.require_alone(args, _option(args))
        return
    how = (args.include, args.yes, args.expect, args.only, args.deletions is not None)
    if any(how) and not args.apply:
        raise UsageError(
            "`--include`, `--only`, `--deletions`, `--expect` and `--yes` say how to apply",
            "add `--apply`",
        )
    if args.include and args.only:
        raise UsageError("`--only` names all that is brought", "leave `--include` out")
    if args.json and (args.apply or args.save):
        raise UsageError("`--json` only shows", "leave `--apply` and `--save` to another run")


def _print_json(document: object) -> None:
    import json

    print(json.dumps(document))


def _say_there_is_no_copy(as_json: bool) -> None:
    from sandboxd.cli import review_document

    if as_json:
        _print_json(review_document.NO_COPY)
        return
    terminal.verdict("nothing to bring: this sandbox works on your folder itself")
    terminal.verdict(
        "hint: `git diff` shows what changed; for a private copy: "
        '`[workspace] layout = "clone"` in sandboxd.toml'
    )


def _option(args: argparse.Namespace) -> str:
    """The options by which the proposed commands mean the same sandbox."""
    return _sandbox.option(args)


def _require_known(paths: list[str], items: tuple[Item, ...], option: str) -> None:
    unknown = [path for path in paths if path not in {item.path for item in items}]
    if unknown:
        raise UsageError(
            f"`{unknown[0]}` is not among the changes",
            f"`sandboxd review{option} --stat` lists them",
        )


def _require_expected(digest: str | None, items: tuple[Item, ...], option: str) -> None:
    from sandboxd.review import choice

    if digest is not None and choice.digest(items) != digest:
        raise UsageError(
            "the changes are not those that were looked at: the sandbox, or your folder, went on",
            f"look at them again: `sandboxd review{option} --diff`",
        )


def _show(changes: Changes, items: tuple[Item, ...], with_differences: bool, option: str) -> None:
    from sandboxd.review import patch
    from sandboxd.review.renames import renames

    moved = renames(items)
    shown = [item for item in items if item.path not in {*moved, *moved.values()}]
    if len(items) > 1:
        print(terminal.paint(_counts(shown, len(moved)), terminal.BOLD))
    for new, old in moved.items():
        print(terminal.one_line(f"R {old} -> {new}  same content"))
    for item in shown:
        codes = [terminal.RED, terminal.BOLD] if item.control or item.blocked else []
        print(terminal.paint(terminal.one_line(patch.summary(item)), *codes))
    if with_differences:
        for item in shown:
            print()
            for line in patch.lines(item):
                code = _COLOURS.get(line[:1])
                print(terminal.paint(terminal.one_line(line), *([code] if code else [])))
    elif shown:
        terminal.status(f"`sandboxd review{option} --diff` shows the differences")
    sys.stdout.flush()
    if changes.skipped:
        terminal.status(f"not looked at, {changes.not_looked_at()}")
    if changes.bundle is not None:
        review_commits.show(changes, option)
    if not items:
        terminal.status("no file differs from the workspace")


def _counts(items: Sequence[Item], moved: int) -> str:
    """Words with the number of changes of each kind, and of those that do not come by themselves."""
    kinds = Counter(item.kind for item in items)
    parts = [f"{kinds[kind]} {kind}" for kind in ("added", "changed", "deleted") if kinds[kind]]
    parts += [f"{moved} renamed"] if moved else []
    watch = sum(bool(item.control) and not item.blocked for item in items)
    parts += [f"{watch} to watch"] if watch else []
    blocked = sum(bool(item.blocked) for item in items)
    parts += [f"{blocked} not brought"] if blocked else []
    return ", ".join(parts)


def _apply(
    changes: Changes, items: tuple[Item, ...], named: list[str], args: argparse.Namespace
) -> int:
    from sandboxd.review import bring, choice

    with_deletions = args.deletions is not None
    chosen = choice.choose(items, named, with_deletions)
    deletions = chosen.deletions
    _say_what_halts(bring.ends_mounts(changes.workspace, (*chosen.writes, *deletions)))
    if deletions and not _may_delete(len(deletions), changes.workspace, args):
        terminal.status("nothing is deleted")
        deletions = ()
    if chosen.writes and not args.yes and not _confirm(len(chosen.writes)):
        terminal.status("nothing was written")
        return EXIT_OK
    _record(changes.workspace, (*chosen.writes, *deletions))
    brought = bring.bring(changes.workspace, (*chosen.writes, *deletions))
    terminal.status(f"brought into the workspace: {terminal.count(len(brought.done), 'change')}")
    for path, why in brought.failed:
        terminal.status(f"`{path}` stays as it is: {why}")
    _report_rest(chosen.left)
    return EXIT_ENVIRONMENT if brought.failed else EXIT_OK


def _say_what_halts(paths: tuple[str, ...]) -> None:
    """Warn, before anything is written, of the files whose replacement on the host halts a running sandbox."""
    if paths:
        names = ", ".join(f"`{path}`" for path in paths[:_MOST_NAMED])
        more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
        terminal.status(
            f"a sandbox that runs on this folder has {names}{more} shut: without the file its mount goes, and it is "
            "halted; `sandboxd up --recreate` makes it anew then"
        )


def _record(workspace: str, items: tuple[Item, ...]) -> None:
    """Note what is about to be brought, each file with the hash of its content.

    :raises RecordFailure: it cannot be; then nothing is brought
    """
    import hashlib

    from sandboxd.audit import notes

    if items:
        hashes = {
            item.path: "deleted" if item.kind == "deleted" else hashlib.sha256(item.new).hexdigest()
            for item in items
        }
        notes.require(os.environ, "review", workspace, files=hashes)


def _report_rest(rest: tuple[tuple[Item, str], ...]) -> None:
    import shlex

    deletions = [item for item, why in rest if item.kind == "deleted" and why == DELETION]
    for item, why in rest:
        if why == DELETION:
            continue
        name = "" if item.blocked else f": name it by `--include {shlex.quote(item.path)}`"
        terminal.status(f"`{item.path}` was not brought: {why}{name}")
    if deletions:
        more = f" and {len(deletions) - 1} more" if len(deletions) > 1 else ""
        terminal.status(
            f"deleted in the sandbox, not here: `{deletions[0].path}`{more}; add `--deletions`, or name "
            f"one by `--include {shlex.quote(deletions[0].path)}`"
        )


def _may_delete(count: int, workspace: str, args: argparse.Namespace) -> bool:
    """Whether a person agrees to so many deletions; in bulk only by their number.

    :raises UsageError: nobody is here to ask, or the number that was given is another one
    """
    from sandboxd.review import choice

    if args.deletions:
        if args.deletions != count:
            raise UsageError(
                f"there are {count} deletions, not {args.deletions}",
                f"look at them (`sandboxd review{_option(args)} --stat`), then `--deletions {count}`",
            )
        return True
    files = choice.count_files(workspace)
    if not choice.is_bulk(count, files):
        return args.yes or _answers(f"delete {terminal.count(count, 'file')}? [y/N] ", "y", "yes")
    if not sys.stdin.isatty():
        raise UsageError(
            f"{count} of {files} files would be deleted",
            f"look at them (`sandboxd review{_option(args)} --stat`), then `--deletions {count}`",
        )
    return _answers(f"delete {count} of {files} files? type the number to do it: ", str(count))


def _confirm(count: int) -> bool:
    return _answers(
        f"write {terminal.count(count, 'change')} into the workspace? [y/N] ", "y", "yes"
    )


def _answers(question: str, *answers: str) -> bool:
    """Whether a person answers `question` with one of `answers`.

    :raises UsageError: nobody is here
    """
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to agree", "look at the changes, then add `--yes`")
    return terminal.answers(question, *answers)
