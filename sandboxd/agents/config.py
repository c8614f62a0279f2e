"""Makes the sandboxd.toml of an agent's session: the project's own with the profile `agent` and what the agent needs.

Only settings that an agent's sandbox can have are taken over. The user's consent is bound to the content of the file,
so after a change of the project or the agent the user is asked again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.model.limits import OF_EVERY_PROFILE
from sandboxd.toml_output import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.agents.agent import Agent
    from sandboxd.agents.session import Choices
    from sandboxd.config.model import Config

PROFILE = "agent"
_LIMITS = (*OF_EVERY_PROFILE, "copy")
"""The limits that a sandbox of this profile can have."""
_COMMENT = """\
The sandbox of {title} on {project}.
`sandboxd agent {name}` writes this file anew from that project's sandboxd.toml."""


def config(agent: Agent, project: Config, choices: Choices, image: str = "") -> bytes:
    """The text of a session's sandboxd.toml, as UTF-8.

    :param project: the project's own config
    :param choices: the user's choices, which override project and agent
    :param image: the image to use if neither choices nor project name one; '' for none
    """
    content: dict[str, Any] = {"profile": PROFILE}
    if project.runtime.value != "auto":
        content["runtime"] = project.runtime.value
    own_image = project.image.value if project.image is not None else ""
    if chosen := choices.image or own_image or image:
        content["image"] = chosen
    if project.user is not None:
        content["user"] = project.user.value
    own = [setting.value.text for setting in project.network.allow or ()]
    content["network"] = {"allow": [*dict.fromkeys([*own, *agent.allow, *choices.allow])]}
    if project.network.private:
        content["network"]["private"] = [each.value.text for each in project.network.private]
    _add_credentials(content, project, _required(agent, choices))
    hide = [*dict.fromkeys([*(each.value for each in project.wishes.hide), *agent.hide])]
    show = [each.value for each in project.wishes.show]
    folders = [each.value for each in project.wishes.folders]
    lists = {"hide": hide, "show": show, "folders": folders}
    if wishes := {key: texts for key, texts in lists.items() if texts}:
        content["workspace"] = wishes
    limits = dict(setting.value for setting in project.limits)
    if own_limits := {name: value for name, value in limits.items() if name in _LIMITS}:
        content["limits"] = own_limits
    if project.environment:
        content["environment"] = dict(setting.value for setting in project.environment)
    comment = _COMMENT.format(title=agent.title, project=project.workspace, name=agent.name)
    return document(content, comment)


def _required(agent: Agent, choices: Choices) -> list[str]:
    """The names of the agent's own credentials and of those that the user chose: of one service, the chosen one."""
    services = {name.partition(":")[0] for name in choices.credentials}
    own = [name for name in agent.credentials if name.partition(":")[0] not in services]
    return [*own, *dict.fromkeys(choices.credentials)]


def _add_credentials(content: dict[str, Any], project: Config, required: Sequence[str]) -> None:
    """The agent's own are required: without them it starts only to say that it cannot work."""
    services = {name.partition(":")[0] for name in required}
    wishes = project.credentials
    # One account of a service: the agent's, or the one that the user chose, goes before the project's.
    use = [str(s.value) for s in wishes.use if s.value.service not in services]
    must = [str(s.value) for s in wishes.required if s.value.service not in services]
    tables = {"use": use, "required": [*must, *required]}
    if named := {key: names for key, names in tables.items() if names}:
        content["credentials"] = named
