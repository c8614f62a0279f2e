"""A project: its config, its hand-written devcontainer.json, its plan and its generated files.

Command line, daemon and language server all use this module.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.agents.session import recall
from sandboxd.config.model import Config, Setting
from sandboxd.config.reading import nearest
from sandboxd.errors import NoFolder, UnreadableError, UsageError
from sandboxd.exchange.prepare import own_git, prepare
from sandboxd.files import read_source
from sandboxd.host.facts import UNKNOWN, HostFacts
from sandboxd.model.control_name import ControlName
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.plan import profiles, refused_features, stubs
from sandboxd.plan.floor import loosened
from sandboxd.plan.git_control import git_control
from sandboxd.plan.git_environment import settings_of
from sandboxd.plan.git_identity import git_identity
from sandboxd.plan.git_user_configs import user_configs
from sandboxd.plan.grants import NO_GRANTS, Grants
from sandboxd.plan.linked_worktree import linked_worktree
from sandboxd.plan.names import chosen_by_files
from sandboxd.plan.plan import Plan
from sandboxd.plan.planner import Network, make_network, make_plan
from sandboxd.plan.project_hosts import NO_HOSTS, ProjectHosts
from sandboxd.plan.reasons import Downgrade
from sandboxd.plan.workspace import Program, hosts_near, survey
from sandboxd.policy import trust
from sandboxd.policy.in_force import in_force
from sandboxd.project.config_file import read_config
from sandboxd.project.extra_folders import extra_folders
from sandboxd.project.mirrors import mirrors
from sandboxd.state import chosen_groups, stand_ins
from sandboxd.state.subnets import note, subnet_of

# Modules that read a hand-written config or write files are imported where they are needed: `up` of
# a project that has neither starts in less time.
if TYPE_CHECKING:
    from sandboxd.agents.session import Session
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.plan import generate as generated
    from sandboxd.plan.carry import Carried
    from sandboxd.plan.compose import ComposeProject
    from sandboxd.plan.profiles import Profile
    from sandboxd.plan.recipe import Recipe
    from sandboxd.plan.workspace import WorkspaceFacts
    from sandboxd.policy.floor import Floor

HAND_WRITTEN = (".devcontainer/devcontainer.json", ".devcontainer.json")
"""The paths at which dev container tools look for a config, in order."""


class Planned(NamedTuple):
    """A plan, and the hand-written config on which it is based; None if there is none."""

    plan: Plan
    base: Document | None
    carried: Carried | None


class Project:
    """A workspace and its config, as read when it was opened."""

    def __init__(
        self,
        workspace: str,
        config: Config,
        environ: Mapping[str, str],
        name: str = "",
        session: Session | None = None,
    ) -> None:
        self.workspace = workspace
        self.name = name
        """The name of the sandbox; '' for the one without a name."""
        self.session = session
        """The session of an agent that this sandbox is; its config takes the place of the project's own."""
        self.config = config
        self.environ = environ

    @classmethod
    def open(cls, path: str, environ: Mapping[str, str], name: str = "") -> Project:
        """The project that `path` lies in: the folder of the nearest sandboxd.toml, otherwise `path` itself.

        :param name: the sandbox's name; '' for the unnamed one
        :raises UsageError: there is no such folder (`NoFolder`), or its sandboxd.toml is not valid
        """
        folder = path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
        if not os.path.lexists(path) or not os.path.isdir(folder):
            raise NoFolder(f"there is no folder `{path}`", "name the folder of a project")
        folder = os.path.realpath(folder)
        config_path = nearest(folder)
        workspace = folder if config_path is None else os.path.dirname(config_path)
        own = recall(environ, workspace, name) if name else None
        if own is not None:
            config_path = own.config_path
        if config_path is None:
            return cls(folder, Config(None, folder), environ, name)
        return cls(workspace, read_config(config_path, workspace), environ, name, own)

    def with_image(self, image: str) -> Project:
        """The project with the image that a command names, if the project's files name none; '' changes nothing."""
        if not image or self.config.image is not None or self.base() is not None:
            return self
        config = self.config._replace(image=Setting(image))
        return Project(self.workspace, config, self.environ, self.name, self.session)

    @property
    def grantee(self) -> str:
        """The folder to which grants apply: an agent session's own folder, otherwise the workspace."""
        return self.session.folder if self.session is not None else self.workspace

    @property
    def sandbox(self) -> str:
        """The sandbox's identity (`model.sandbox_id`)."""
        return sandbox_id(self.workspace, self.name)

    @functools.cached_property
    def profile(self) -> Profile:
        """The profile that the config names."""
        return profiles.load(self.config.profile.value)

    def base(self) -> Document | None:
        """The hand-written devcontainer.json; None if there is none.

        :raises UsageError: it is a symbolic link, or cannot be read
        """
        for name in HAND_WRITTEN:
            path = os.path.join(self.workspace, name)
            # A folder with the name of the file is no config: one may stand there so that none can be.
            if not os.path.lexists(path) or (os.path.isdir(path) and not os.path.islink(path)):
                continue
            if os.path.islink(path):
                raise UsageError(
                    f"`{name}` is a symbolic link, so it cannot be pinned read-only",
                    f"replace `{name}` by a regular file",
                )
            try:
                source = read_source(path)
            except UnreadableError as error:
                raise UsageError(f"`{name}` {error.message}", error.hint) from None
            from sandboxd.formats import devcontainer
            from sandboxd.plan.generate import is_generated

            if not is_generated(source):
                return devcontainer.parse(source)
        return None

    def plan(self, host: HostFacts, grants: Grants = NO_GRANTS) -> Plan:
        """The plan for this project on `host`; raises as `plan.planner.make_plan`."""
        return self.planned(host, grants).plan

    def outputs(self, host: HostFacts, grants: Grants = NO_GRANTS) -> tuple[generated.Output, ...]:
        """The files to generate for the plan."""
        return self._outputs(self.planned(host, grants))

    def compare(self, host: HostFacts, grants: Grants = NO_GRANTS) -> tuple[generated.State, ...]:
        """The files to generate, compared with those on disk."""
        from sandboxd.plan import generate as generated

        return generated.compare(self.workspace, self.outputs(host, grants))

    def generate(self, host: HostFacts, grants: Grants = NO_GRANTS) -> list[generated.Written]:
        """Write the generated files that differ from those on disk."""
        return self.write(self.planned(host, grants))

    def write(self, planned: Planned) -> list[generated.Written]:
        """Write the generated files of a plan that differ from those on disk.

        :raises UsageError: the profile does not allow something that other tools would add to the files
        """
        from sandboxd.plan import generate as generated

        files = self._outputs(planned)
        if planned.plan.inner is not None:
            note(self.environ, self.workspace, subnet_of(self.environ, self.workspace))
        prepare(planned.plan)
        stub_paths = stubs.make(self.workspace, planned.plan.stubs)
        if stub_paths:
            stand_ins.note(self.environ, self.workspace, stub_paths)
        try:
            return generated.write(self.workspace, files)
        except BaseException:
            stubs.remove(self.workspace, stub_paths)
            raise

    def planned(self, host: HostFacts, grants: Grants = NO_GRANTS) -> Planned:
        """The plan, with the inputs of its generated files; raises as `plan`."""
        base = self.base()
        facts = self._survey()
        config = self.config
        if not grants.trusted:
            grants = grants._replace(trusted=self.is_trusted(host, facts.hosts))
        floor = in_force(self.environ)
        missing: tuple[Downgrade, ...] = ()
        if floor.network_ca:
            from sandboxd.project.network_ca import with_files

            facts, missing = with_files(facts, host, floor, self.environ)
        container, project = self._described(base, host)
        if project is None:
            facts = facts._replace(subnet=subnet_of(self.environ, self.sandbox))
        features = refused_features.downgrades(container, self._skipped)
        if container is not None:
            container = refused_features.without(container, self._skipped)
        plan = make_plan(self.profile, config, host, container, facts, grants, floor, project)
        plan = plan._replace(downgrades=(*features, *missing, *plan.downgrades))
        ports = config.network.forward
        if base is None and not ports:
            return Planned(plan, None, None)
        from sandboxd.plan.remote import is_workspace, of_file, with_ports

        if base is None:
            return Planned(plan._replace(remote=with_ports(plan.remote, ports)), None, None)
        from sandboxd.plan.carry import carry
        from sandboxd.plan.hand_written import unsound

        plan = plan._replace(
            remote=with_ports(of_file(base, plan), ports),
            downgrades=(*unsound(base), *plan.downgrades),
        )
        folder = os.path.relpath(os.path.dirname(base.source.path), self.workspace)
        carried = carry(base, "" if folder == "." else folder, self._skipped)
        if is_workspace(base, plan):
            carried = carried.without("workspaceFolder")
        plan = self._with_recipe(plan, base, container)
        if plan.recipe is not None:
            plan = plan._replace(recipe=plan.recipe.in_network(facts.network_ca))
        return Planned(plan._replace(left_out=plan.left_out + carried.left_out), base, carried)

    def is_trusted(self, host: HostFacts | None, hosts: ProjectHosts) -> bool:
        """Whether the config loosens something and the user's grant covers its present content.

        :param host: None: whether it would loosen something on any host
        :param hosts: the hosts that the project's files name
        :raises UsageError: the grants cannot be read
        """
        config, profile = self.config, self.profile
        return bool(loosened(profile, config, host, hosts)) and trust.is_granted(
            self.environ, self.grantee, config.digest, profile.name
        )

    def network(self, floor: Floor) -> Network:
        """The mode of the network and the gateway's policy, which do not depend on the host.

        The user's answers about names are not included; see `project.rights`.

        :raises UsageError: the grants, or a hand-written config, cannot be read
        """
        hosts = self._hosts(self.profile.network.by_files)
        return self._network(floor, hosts, *self._described(self.base(), UNKNOWN))

    def network_of_config(self, floor: Floor) -> Network:
        """The network as far as sandboxd.toml and its profile determine it, whatever the rest of the project is.

        Where its files cannot be looked at, they select nothing.

        :raises UsageError: the grants cannot be read
        """
        try:
            hosts = self._hosts(self.profile.network.by_files)
        except UsageError:
            hosts = NO_HOSTS
        return self._network(floor, hosts, None, None)

    def _network(
        self,
        floor: Floor,
        hosts: ProjectHosts,
        base: Container | None,
        project: ComposeProject | None,
    ) -> Network:
        config, profile = self.config, self.profile
        trusted = self.is_trusted(UNKNOWN, hosts)
        return make_network(profile, config, base, self.workspace, hosts, trusted, floor, project)

    def _outputs(self, planned: Planned) -> tuple[generated.Output, ...]:
        plan = planned.plan
        if plan.brought and self.profile.gvisor == "required":
            raise UsageError(
                f"profile `{plan.profile}` allows nothing beside the plan, and a tool that reads the "
                f"generated file would add to it: {'; '.join(each.what for each in plan.brought)}",
                f"{plan.brought[0].fix}; or start it with `sandboxd up`, which adds none of it",
            )
        from sandboxd.plan.carry import NOTHING
        from sandboxd.plan.generate import outputs

        carried = (planned.carried or NOTHING).with_ports(self.config.network.forward)
        return outputs(plan, planned.base, carried)

    def _survey(self) -> WorkspaceFacts:
        profile, settings = self.profile, self.config.wishes.hot
        hot = None if settings is None else [setting.value for setting in settings]
        by_files = profile.network.by_files
        home, of_user = self.environ.get("HOME", ""), user_configs(self.environ, self.workspace)
        if not profile.pins:
            facts = survey(self.workspace, (), hot, hosts=by_files)
        else:
            git = git_control(self.workspace, of_user, home, settings_of(self.environ))
            facts = survey(
                self.workspace, profile.control_files, hot, profile.left_open, git, by_files
            )
        names_user = profile.git_identity
        written = [setting.value for setting in self.config.wishes.folders]
        return facts._replace(
            hosts=self._with_chosen(facts.hosts)._replace(mirrors=mirrors(self.environ)),
            name=self.name,
            git_identity=git_identity(self.workspace, of_user, home) if names_user else (),
            extra_folders=extra_folders(self.workspace, written, self.environ),
            linked=linked_worktree(self.workspace),
            own_git=own_git(self.environ, self.sandbox) if profile.pins else None,
            programs=self._programs(),
        )

    def _programs(self) -> tuple[Program, ...]:
        """The program of the session's agent, if sandboxd installs it."""
        if self.session is None:
            return ()
        from sandboxd.agents import catalog, volume

        agent = catalog.of_session(self.session, self.environ)
        name = volume.name(agent)
        return (Program(name, volume.TARGET, volume.label(agent)),) if name else ()

    def hosts(self) -> ProjectHosts:
        """The hosts that the project's files name; none if the config could not loosen anything by means of them."""
        if self.config.network.allow is None or not self.profile.network.by_files:
            return NO_HOSTS
        return self._hosts(True)

    def chosen_groups(self) -> tuple[str, ...]:
        """The groups of names that the project's files select for a sandbox that starts now."""
        by_files = chosen_by_files(
            self.profile, self.config, self._hosts(self.profile.network.by_files)
        )
        return tuple(each.entry.group for each in by_files)

    def _hosts(self, by_files: bool) -> ProjectHosts:
        return self._with_chosen(hosts_near(self.workspace) if by_files else NO_HOSTS)

    def _with_chosen(self, hosts: ProjectHosts) -> ProjectHosts:
        """The hosts that the files name, and those that they chose for the sandbox that runs."""
        return hosts._replace(chosen=chosen_groups.recall(self.environ, self.sandbox))

    def recipe(self) -> Recipe | None:
        """How the project's image is built; None if an image is only named.

        :raises UsageError: see `plan.recipe.recipe`
        """
        base = self.base()
        return self._recipe(base, self._described(base, UNKNOWN)[0]) if base is not None else None

    def _recipe(self, base: Document, container: Container | None) -> Recipe | None:
        from sandboxd.plan.recipe import recipe

        image = self.config.image.value if self.config.image is not None else ""
        if container is None:
            return None
        return recipe(base, container, self.workspace, image, self._skipped)

    @property
    def _skipped(self) -> refused_features.Skipped:
        """The Features that the config leaves out."""
        return refused_features.Skipped(frozenset(each.value for each in self.config.skip_features))

    def _with_recipe(self, plan: Plan, base: Document, container: Container | None) -> Plan:
        """`plan` with the recipe of its image, and notes on what that means."""
        try:
            recipe = self._recipe(base, container)
        except UsageError as error:
            # Files are generated all the same: an editor may still build it. `up` refuses.
            downgrade = Downgrade(ControlName.BUILD, error.message, error.hint)
            return plan._replace(downgrades=(*plan.downgrades, downgrade))
        if recipe is None:
            return plan
        downgrade = Downgrade(
            ControlName.BUILD,
            f"{recipe.sources()}: the engine's builder runs it outside of the runtime and its controls",
            "only the finished image runs in the sandbox; name one to build nothing",
        )
        return plan._replace(recipe=recipe, downgrades=(*plan.downgrades, downgrade))

    def _described(
        self, base: Document | None, host: HostFacts
    ) -> tuple[Container | None, ComposeProject | None]:
        if base is None:
            image, engine = self.config.image, host.engine
            if image is None or engine is None or engine.image_label(image.value) is None:
                return None, None
        from sandboxd.plan.hand_written import describe

        return describe(base, self.config, self.environ.get("HOME"), host)
