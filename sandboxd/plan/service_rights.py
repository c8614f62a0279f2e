"""The privileges of a service besides the workspace: those it keeps, and those it asks for and does not get. Pure.

They depend on its image and on the project's own files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model.control_name import ControlName
from sandboxd.plan import service_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandboxd.model.container import Container
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.service import Service


def at_most(container: Container) -> frozenset[str]:
    """The capabilities that `up` gives a service at most, if its project asks for them; they depend on its image."""
    return frozenset((*service_images.DEFAULT, *_needs(container).capabilities))


def surplus(container: Container) -> str:
    """The first capability that it asks for and cannot get, as a predicate to put behind its name; '' for none."""
    may = at_most(container)
    beyond = (cap.value for cap in container.cap_add if cap.value not in may)
    return next((f"adds the capability `{name}`" for name in beyond), "")


def capabilities(container: Container) -> tuple[str, ...]:
    """The capabilities that it keeps: those that its image needs, changed as its project says."""
    if _steps_down(container):
        # Without new privileges it could not use any.
        return ()
    dropped = {value.value for value in container.cap_drop}
    own = set() if "ALL" in dropped else {*_needs(container).capabilities} - dropped
    # As in the engine, what is added counts more than what is dropped.
    return tuple(sorted(own | _added(container)))


def without_effect(container: Container) -> Iterator[str]:
    """Yield a sentence for each privilege that the project asks for and the service does not get."""
    added = ", ".join(f"`{name}`" for name in sorted(_added(container)))
    if added and _steps_down(container) and container.user is not None:
        yield f"{added} has no effect: its user `{container.user.value}` is not root, and gains no rights"
    option = container.option("no-new-privileges")
    if option is not None and option.value.value != "true":
        yield f"`{option.written}` has no effect: no program in it gains rights"
    if container.ulimits:
        names = ", ".join(f"`{value.value.name}`" for value in container.ulimits)
        yield f"its `ulimits` ({names}) have no effect: it has those of the sandbox"


def say(services: Iterable[Service], notes: Notes) -> None:
    """Note for all services together which privileges they keep; `explain-plan` has the reason for each."""
    words = []
    for service in services:
        names = ", ".join(service.capabilities)
        if not names:
            continue
        written = service.container.name
        notes.reason("service", f"{written}: {names}", _why(service))
        words.append(f"`{written}` ({names})")
    if words:
        notes.downgrade(
            ControlName.SERVICE_RIGHTS,
            f"may be root inside, until their entry points step down: {'; '.join(words)}",
            "`user` in the Compose file, where the image can do without root",
        )


def _why(service: Service) -> str:
    needed = _needs(service.container)
    asked = ", ".join(sorted(_added(service.container) - {*needed.capabilities}))
    if {*service.capabilities} <= _added(service.container):
        return "its Compose file asks for it"
    why = needed.why or "its image is in no table, so it has what most entry points need"
    why = f"{why} {needed.source}".rstrip()
    return f"{why}; its Compose file asks for {asked}" if asked else why


def _added(container: Container) -> set[str]:
    return {value.value for value in container.cap_add}


def _steps_down(container: Container) -> bool:
    """Whether its main process starts as a user other than root, as far as its project says."""
    user = container.user.value.partition(":")[0] if container.user is not None else ""
    return user not in ("", "0", "root")


def _needs(container: Container) -> service_images.Needs:
    return service_images.needs(container.image.value if container.image is not None else "")
