"""A seccomp profile as the engine reads it, and which result it gives for a system call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.findings import Place
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node

ALLOW = "SCMP_ACT_ALLOW"
ERRNO = "SCMP_ACT_ERRNO"
# All of these let the call happen.
OPEN = (ALLOW, "SCMP_ACT_LOG", "SCMP_ACT_TRACE")
EPERM, ENOSYS = 1, 38
NEWEST_KERNEL = (99, 0)
_ALL_BITS = 2**64 - 1


class Argument(NamedTuple):
    """A condition on one argument of a system call; `two` is only used by ``SCMP_CMP_MASKED_EQ``."""

    position: int
    operator: str
    value: int
    two: int = 0

    def holds(self, actual: int) -> bool:
        """Whether `actual` meets the condition. A condition that the engine would reject is never met."""
        value = self.value & _ALL_BITS
        return {
            "SCMP_CMP_NE": actual != value,
            "SCMP_CMP_LT": actual < value,
            "SCMP_CMP_LE": actual <= value,
            "SCMP_CMP_EQ": actual == value,
            "SCMP_CMP_GE": actual >= value,
            "SCMP_CMP_GT": actual > value,
            "SCMP_CMP_MASKED_EQ": actual & value == self.two & _ALL_BITS,
        }.get(self.operator, False)


class Condition(NamedTuple):
    """When a rule applies: capabilities, architectures (as Go names them), and the kernel's version."""

    caps: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()
    kernel: tuple[int, ...] = ()


class SeccompRule(NamedTuple):
    """One entry of `syscalls`."""

    names: tuple[Value[str], ...]
    action: str
    errno: int | None
    args: tuple[Argument, ...]
    includes: Condition
    excludes: Condition
    node: Node

    def applies(self, context: Context) -> bool:
        """Whether the engine uses this rule for such a container."""
        only, unless = self.includes, self.excludes
        if context.arch in unless.arches or any(cap in context.caps for cap in unless.caps):
            return False
        if unless.kernel and context.kernel >= unless.kernel:
            return False
        if only.arches and context.arch not in only.arches:
            return False
        if only.kernel and context.kernel < only.kernel:
            return False
        return all(cap in context.caps for cap in only.caps)

    def matches(self, args: Mapping[int, int]) -> bool:
        """Whether the arguments of a call meet the rule's conditions. An argument that is not in `args` counts as 0.

        All conditions must hold, unless two of them are on the same argument: then runc makes a separate rule of each
        condition, so that one is enough.
        """
        if not self.args:
            return True
        results = [argument.holds(args.get(argument.position, 0)) for argument in self.args]
        return any(results) if self.is_split() else all(results)

    def is_split(self) -> bool:
        """Whether two conditions are on the same argument."""
        return len({argument.position for argument in self.args}) < len(self.args)


class Context(NamedTuple):
    """The container to which a profile is applied; capabilities with the prefix ``CAP_``."""

    arch: str = "amd64"
    caps: frozenset[str] = frozenset()
    kernel: tuple[int, ...] = NEWEST_KERNEL


PLAIN = Context()


class Outcome(NamedTuple):
    """The kernel's result for a call. `name` is the call in the rule that decided, None if the default action
    applies.
    """

    action: str
    errno: int | None
    name: Value[str] | None = None
    rule: SeccompRule | None = None

    @property
    def is_open(self) -> bool:
        return self.action in OPEN

    @property
    def is_unknown_call(self) -> bool:
        """Whether it is ENOSYS, after which programs try an older call."""
        return self.action == ERRNO and self.errno == ENOSYS


class SeccompProfile(NamedTuple):
    """A seccomp profile.

    `by_name` has, for each call, the rules that name it, in the order of the file.
    """

    path: str
    place: Place
    default: Value[str] | None
    default_errno: int | None
    architectures: tuple[Value[str], ...]
    """The architectures in the order of the file, including the sub-architectures in `archMap`."""
    rules: tuple[SeccompRule, ...]
    by_name: Mapping[str, tuple[tuple[Value[str], SeccompRule], ...]]
    listener: str | None = None

    def decide(
        self, call: str, args: Mapping[int, int] | None = None, context: Context = PLAIN
    ) -> Outcome:
        """The kernel's result for a call.

        In the filter that libseccomp builds, the first rule without conditions on arguments decides all calls of its
        name. The order of overlapping rules with conditions is not defined, so the one that allows the call is taken.
        """
        matching: list[Outcome] = []
        for name, rule in self.by_name.get(call, ()):
            if not rule.applies(context):
                continue
            outcome = Outcome(rule.action, self._errno(rule.action, rule.errno), name, rule)
            if not rule.args:
                return outcome
            if rule.matches(args or {}):
                matching.append(outcome)
        matching.sort(key=lambda outcome: not outcome.is_open)
        return matching[0] if matching else self.by_default()

    def by_default(self) -> Outcome:
        action = self.default.value if self.default is not None else ERRNO
        return Outcome(action, self._errno(action, self.default_errno))

    def is_denylist(self) -> bool:
        """Whether calls that no rule names are allowed."""
        return self.by_default().is_open

    def open_calls(self, calls: Iterable[str], context: Context = PLAIN) -> list[Value[str]]:
        """The names in `calls` that are allowed with any arguments, each as the value of the rule that allows it."""
        names: list[Value[str]] = []
        for call in calls:
            outcome = self.decide(call, None, context)
            if outcome.is_open and outcome.name is not None:
                names.append(outcome.name)
        return names

    def refused_calls(self, context: Context = PLAIN) -> frozenset[str]:
        """The calls, of those that libseccomp knows, that are refused whatever their arguments are."""
        from sandboxd.model.syscalls import syscall_names

        opened = {
            call
            for call, rules in self.by_name.items()
            if any(rule.action in OPEN and rule.applies(context) for _, rule in rules)
        }
        return frozenset(
            call
            for call in syscall_names() - opened
            if not self.decide(call, None, context).is_open
        )

    def calls_with_rules(self, context: Context = PLAIN) -> set[str]:
        """The calls that some rule which applies in `context` names."""
        return {
            call
            for call, rules in self.by_name.items()
            if any(rule.applies(context) for _, rule in rules)
        }

    def _errno(self, action: str, written: int | None) -> int | None:
        if action != ERRNO:
            return None
        return EPERM if written is None else written
