"""A runtime and a profile for a purpose on this host: why, at what price, and what the others would lose.

The planner asks the same function, so what is recommended is what `sandboxd up` does. Figures of
the installation guide are marked as the guide's; those of `sandboxd bench` as measured here.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK

if TYPE_CHECKING:
    from sandboxd.host.facts import HostFacts
    from sandboxd.plan.recommend import Cost, Recommendation

HELP = "what to use on this host, and why"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--for",
        dest="purpose",
        metavar="PURPOSE",
        help="development, agent, production or high-security (default: the first with its reason, the others in a table)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--facts", metavar="FILE", help="judge a report of `doctor --raw` instead")


def run(args: argparse.Namespace) -> int:
    from sandboxd import terminal
    from sandboxd.cli.host_report import facts_of, measured_costs
    from sandboxd.plan.recommend import recommend
    from sandboxd.screen import fit

    facts = facts_of(args.facts)
    costs = measured_costs() if args.facts is None else ()
    recommendations = [recommend(facts, purpose, costs) for purpose in _purposes(args.purpose)]
    if args.json:
        json.dump([as_json(one) for one in recommendations], sys.stdout, indent=2)
        print()
    elif args.purpose is None:
        print(overview(recommendations, terminal.width(), _why_nothing_runs(facts)))
    else:
        print(fit(render(facts, recommendations), terminal.width()))
    refused = not facts.answered or all(one.decision.choice is None for one in recommendations)
    return EXIT_ENVIRONMENT if refused else EXIT_OK


def _purposes(name: str | None) -> tuple[Any, ...]:
    from sandboxd.errors import UsageError
    from sandboxd.plan.recommend import PURPOSES

    if name is None:
        return PURPOSES
    chosen = tuple(purpose for purpose in PURPOSES if purpose.name == name)
    if not chosen:
        names = ", ".join(f"`{purpose.name}`" for purpose in PURPOSES)
        raise UsageError(f"there is no purpose `{name}`", f"choose one of {names}")
    return chosen


def _why_nothing_runs(facts: HostFacts) -> str:
    """The reason why no container runs on this host, with the first thing to do; '' where one does."""
    if facts.answered:
        return ""
    from sandboxd.host.platforms import platform_of

    why = facts.engine.error if facts.engine is not None else "the engine was not asked"
    return "; ".join(
        [f"no sandbox can run here: {why}", *platform_of(facts).advice(facts).steps[:1]]
    )


def overview(recommendations: list[Recommendation], columns: int, blocked: str = "") -> str:
    """The answer for daily work with its reason, and the others in a table.

    :param blocked: why nothing runs at all, which is the answer then
    """
    from sandboxd.screen import cut, wrap
    from sandboxd.terminal import BOLD, paint, printable

    first, *others = recommendations
    if blocked:
        lines = wrap(printable(blocked), columns)
        lines[0] = paint(lines[0], BOLD)
        return "\n".join([*lines, "what this machine lacks, in order: `sandboxd doctor`"])
    why = first.decision.choice.why if first.decision.choice is not None else first.decision.why
    lines = wrap(printable(f"{_choice(first)}: {why}"), columns)
    lines[0] = paint(lines[0], BOLD)
    if first.decision.choice is None:
        lines += wrap(f"hint: {printable(first.decision.fix)}", columns)
    lines += [f"- {printable(loss.alternative)} loses: {loss.loses}" for loss in first.losses[:1]]
    lines = [cut(line, columns) if line.startswith("- ") else line for line in lines]
    lines.append("")
    for one in others:
        row = f"{one.purpose.name:<14}  {_choice(one)}"
        lines.append(cut(printable(f"{row:<54}  {one.purpose.what}"), columns))
    lines.append(f"why, and at what price: `sandboxd recommend --for {first.purpose.name}`")
    return "\n".join(lines)


def _choice(one: Recommendation) -> str:
    choice = one.decision.choice
    if choice is None:
        return "nothing may run"
    return f"profile {one.purpose.profile}, runtime {choice.name or 'the default'}"


def render(facts: HostFacts, recommendations: list[Recommendation]) -> str:
    """The screen: for each purpose the decision, then what holds for all of them."""
    from sandboxd.host.platforms import platform_of
    from sandboxd.terminal import DIM, paint, printable

    lines = [f"host  {paint(platform_of(facts).TITLE, DIM)}"]
    for one in recommendations:
        lines += ["", *_one(one)]
    costs = recommendations[0].costs if recommendations else ()
    if costs:
        lines += ["", "price", *(f"  {_cost(cost)}" for cost in costs)]
    return "\n".join(printable(line) if "\x1b" not in line else line for line in lines)


def _one(one: Recommendation) -> list[str]:
    from sandboxd.terminal import BOLD, GREEN, RED, YELLOW, paint, printable

    purpose, decision = one.purpose, one.decision
    head = paint(f"{purpose.name}", BOLD) + f"  {purpose.what}"
    if decision.choice is None:
        return [
            head,
            f"  {paint('nothing may run', RED)}: {printable(decision.why)}",
            f"  hint: {printable(decision.fix)}",
        ]
    colour = GREEN if decision.choice.gvisor else YELLOW
    name = decision.choice.name or "the engine's default runtime"
    lines = [
        head,
        f"  {paint(f'profile {purpose.profile}, runtime {name}', colour)}: "
        f"{printable(decision.choice.why)}",
    ]
    lines += [f"  + {printable(text)}" for text in one.controls]
    lines += [f"  - {loss.alternative}: {loss.loses}" for loss in one.losses]
    if decision.downgrades:
        fixes = dict.fromkeys(item.fix for item in decision.downgrades if item.fix)
        lines += [f"  better: {printable(fix)}" for fix in fixes]
    return lines


def _cost(cost: Cost) -> str:
    return f"{cost.what}: {cost.figure} ({cost.source})"


def as_json(one: Recommendation) -> dict[str, Any]:
    decision = one.decision
    return {
        "version": 1,
        "purpose": one.purpose.name,
        "profile": one.purpose.profile,
        "guide": one.purpose.guide,
        "runtime": decision.choice.name if decision.choice else None,
        "gvisor": bool(decision.choice and decision.choice.gvisor),
        "why": decision.choice.why if decision.choice else decision.why,
        "fix": decision.fix or next((item.fix for item in decision.downgrades if item.fix), ""),
        "controls": list(one.controls),
        "costs": [cost._asdict() for cost in one.costs],
        "losses": [loss._asdict() for loss in one.losses],
    }
