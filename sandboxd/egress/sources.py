"""What a policy lets through, by the groups and names that it was asked for. Pure."""

from __future__ import annotations

from sandboxd.egress.policy import Policy

_MOST = 6
_GROUP = "group "


def sources(policy: Policy) -> tuple[str, ...]:
    """The allowed groups by name, then names that are in no group; the last entry is `and 3 more` if there are too
    many.

    What `policy` denies completely is left out; what it denies in part has `(in part)` added.
    """
    is_whole: dict[str, bool] = {}
    allowed: set[str] = set()
    for rule in policy.rules:
        group = rule.source.startswith(_GROUP)
        part = rule.source.removeprefix(_GROUP) if group else str(rule.pattern)
        denied = any(each.covers(rule.pattern) for each in policy.denied)
        limited = denied or any(rule.pattern.covers(each) for each in policy.denied)
        is_whole[part] = is_whole.get(part, True) and not limited
        if not denied:
            allowed.add(part)
    parts = [
        part if whole else f"{part} (in part)"
        for part, whole in is_whole.items()
        if part in allowed
    ]
    first = parts[:_MOST]
    if len(parts) > _MOST:
        first.append(f"and {len(parts) - _MOST} more")
    return tuple(first)
