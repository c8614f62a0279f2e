"""The credentials of a sandbox for the user: each service, how it was used, and what to do if requests were refused."""

from __future__ import annotations

from sandboxd.egress.credential_lines import CredentialLine
from sandboxd.screen import duration
from sandboxd.verify.last_verdict import age_seconds


def rows(lines: tuple[CredentialLine, ...], is_recorded: bool) -> list[tuple[str, str]]:
    """Labels and texts. A text can contain words from a service, so it has to be escaped.

    :param is_recorded: whether the gateway's events are read
    """
    if not lines:
        return []
    if not is_recorded:
        return [("credentials", ", ".join(line.service for line in lines))]
    result = [("credentials", "; ".join(map(_use, lines)))]
    missing = [line.service for line in lines if line.is_missing]
    if missing:
        names = ", ".join(dict.fromkeys(map(_service, missing)))
        why = f"{names}: the gateway has no secret; `sandboxd up` says why, and gives it one"
        result.append(("no secret", why))
    for line in lines:
        if line.is_rejected:
            name = _service(line.service)
            text = f"{line.service}: its service says no to the secret ({line.status})"
            result.append(("rejected", f"{text}: `sandboxd credentials test {name}`"))
        if line.refused or line.failed:
            result.append(("not given", _trouble(line)))
    return result


def _service(label: str) -> str:
    """The service of a gateway's label: a user's own has a dash in its name."""
    words = label.split("-")
    return "-".join(words[:2]) if words[0] == "my" else words[0]


def _use(line: CredentialLine) -> str:
    if line.is_missing:
        return f"{line.service} without its secret"
    if not line.used:
        return f"{line.service} not used"
    ago = duration(age_seconds(line.last))
    return f"{line.service} used {_times(line.used)}, last {ago} ago"


def _trouble(line: CredentialLine) -> str:
    counts = []
    if line.refused:
        counts.append(f"refused {_times(line.refused)}")
    if line.failed:
        counts.append(f"failed {_times(line.failed)}")
    why = f"{line.reason}: {line.detail}" if line.detail else line.reason
    return f"{line.service}: {', '.join(counts)}; the last: {why}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
