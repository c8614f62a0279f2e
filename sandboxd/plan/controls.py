"""The controls of a plan: seccomp, AppArmor, no-new-privileges, and what stays open."""

from __future__ import annotations

import os

from sandboxd.data import data_path
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.facts import HostFacts
from sandboxd.host.facts.builds import UPDATE, shortfall
from sandboxd.model.container import Container, Pair, SecurityOption
from sandboxd.model.control_name import ControlName
from sandboxd.model.values import Value
from sandboxd.plan import network
from sandboxd.plan.inner_network import InnerNetwork
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import Choice

OCI_SECCOMP = Pair("dev.gvisor.flag.oci-seccomp", "true")


def seccomp_works(profile: Profile, choice: Choice, host: HostFacts, notes: Notes) -> bool:
    """Whether the engine supports seccomp; otherwise it would refuse to start a container with a filter."""
    options = host.engine.security_options if host.engine else ()
    if choice.gvisor or not options or any("seccomp" in option for option in options):
        return True
    why = "this engine's kernel has no seccomp"
    fix = "use a kernel with CONFIG_SECCOMP_FILTER"
    if profile.gvisor == "required":
        raise EnvironmentFailure(f"profile `{profile.name}` needs a seccomp filter: {why}", fix)
    notes.downgrade(ControlName.SECCOMP, why, fix)
    return False


def note_default_filter(host: HostFacts, notes: Notes) -> None:
    """Note a loss where the engine's own filter, which a profile without one takes, is none."""
    if host.engine is not None and host.engine.is_unfiltered:
        notes.downgrade(
            ControlName.SECCOMP,
            "this profile takes the engine's own filter, and this engine's is none (`seccomp-profile`: `unconfined`)",
            'choose profile `dev`; or set `"seccomp-profile": "builtin"` in the engine\'s daemon.json and restart it',
        )


def note_filter_of_services(host: HostFacts, notes: Notes) -> None:
    """Note a loss where Compose starts the services beside a workspace in gVisor: under the engine's own runtime, with its
    own filter, which may be none.
    """
    if host.engine is not None and host.engine.is_unfiltered:
        notes.downgrade(
            ControlName.SERVICE,
            "services that Compose starts take the engine's own seccomp filter, and this engine's is none "
            "(`seccomp-profile`: `unconfined`)",
            "start them by `sandboxd up`, in gVisor",
            of_other_tools=True,
        )


def security_options(
    profile: Profile, seccomp: str, apparmor: str, notes: Notes
) -> tuple[Value[SecurityOption], ...]:
    options = []
    if profile.no_new_privileges:
        options.append(
            notes.value(
                "security_opt",
                SecurityOption("no-new-privileges", "true"),
                "no-new-privileges",
                "a setuid program gives nobody more rights",
            )
        )
    if seccomp:
        name = os.path.basename(seccomp)
        options.append(
            notes.value(
                "security_opt",
                SecurityOption("seccomp", seccomp),
                f"seccomp {name}",
                "refuses system calls that work does not need",
            )
        )
    if apparmor:
        options.append(
            notes.value(
                "security_opt",
                SecurityOption("apparmor", apparmor),
                f"apparmor={apparmor}",
                "the kernel of this host has the profile loaded",
            )
        )
    return tuple(options)


def apparmor_profile(profile: Profile, choice: Choice, host: HostFacts, notes: Notes) -> str:
    """The AppArmor profile to ask for; '' for the engine's own, or if there is none.

    Only a profile that is known to be loaded is named: an engine refuses to start a container with one that is not, and
    on a kernel without AppArmor it accepts any name and does nothing.
    """
    if choice.gvisor or not profile.apparmor or host.apparmor is not True:
        return ""
    if host.apparmor_profiles is not None and profile.apparmor in host.apparmor_profiles:
        return profile.apparmor
    state = "is not loaded" if host.apparmor_profiles is not None else "was not seen to be loaded"
    notes.downgrade(
        ControlName.APPARMOR,
        f"the engine's own profile is used: `{profile.apparmor}` {state}",
        f"sudo apparmor_parser -r {data_path('profiles', 'apparmor', profile.apparmor)}",
    )
    return ""


def gvisor_annotations(choice: Choice, seccomp: str, notes: Notes) -> tuple[Value[Pair], ...]:
    if not (choice.gvisor and seccomp):
        return ()
    return (
        notes.value(
            "annotations",
            OCI_SECCOMP,
            f"{OCI_SECCOMP.name}={OCI_SECCOMP.value}",
            "gVisor ignores a seccomp profile unless this is set",
        ),
    )


def say_what_stays_open(
    profile: Profile,
    choice: Choice,
    mode: network.Mode,
    joined: InnerNetwork | None,
    host: HostFacts,
    container: Container,
    notes: Notes,
) -> None:
    """Note what stays open by design."""
    filtered = any(o.value.name == "seccomp" for o in container.security_opt)
    if filtered and not choice.filters_exec:
        notes.downgrade(
            ControlName.SECCOMP,
            "processes entered by `exec`, editors among them, have no filter under this gVisor",
        )
    network.say_what_stays_open(mode, joined, container, notes)
    if not choice.gvisor and host.apparmor is False and host.answered:
        notes.downgrade(ControlName.APPARMOR, "this engine does not offer it")
    runtime = "runsc" if choice.gvisor else "runc"
    for fault in profile.faults:
        if fault.runtime in ("", runtime):
            notes.downgrade(fault.control, fault.why, fault.fix)
    weaker = shortfall(choice.build) if choice.build is not None else ""
    if weaker:
        notes.downgrade(ControlName.GVISOR_BUILD, weaker, f"`{UPDATE}`")
