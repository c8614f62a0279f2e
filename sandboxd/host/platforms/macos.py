"""macOS with no engine that could be recognised: a Linux virtual machine is needed first."""

from __future__ import annotations

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import Ability, Advice, Refusal, _engine, _texts

TITLE = "macOS"
PRIORITY = 20
RUN = None
ABILITIES = (
    Ability("sandboxd check, lsp, daemon", "yes", "no engine is needed"),
    Ability("gVisor", "no", "it runs Linux programs on a Linux kernel: in a virtual machine"),
)
ALTERNATIVES = (_texts.LINUX_VM,)

_VM = "install one: `brew install colima docker && colima start`"


def matches(facts: HostFacts) -> bool:
    return facts.system == "Darwin"


def why_no_gvisor(facts: HostFacts) -> Refusal:
    none = Refusal("this engine, in a virtual machine on macOS, has no gVisor runtime", _VM)
    if facts.engine is not None and facts.engine.error:
        return Refusal(facts.engine.error, _VM)
    return _engine.why_no_gvisor(facts, none)


def advice(facts: HostFacts) -> Advice:
    engine = facts.engine
    if engine is None or engine.error:
        return Advice((), ("brew install colima docker && colima start", "sandboxd doctor"))
    return Advice((_texts.SHARED_VM,), _engine.USE)
