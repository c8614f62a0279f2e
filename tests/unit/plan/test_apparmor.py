"""AppArmor profiles: they compile, have no findings, and are asked for only where they are loaded."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxd.config.values import profile_names
from sandboxd.findings import Severity
from sandboxd.formats import find
from sandboxd.host.facts import HostFacts
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.lint import analysis
from sandboxd.model.values import Value
from sandboxd.plan import profiles
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers import compose_override
from sandboxd.text import SourceText
from tests.unit.plan.examples import GVISOR, HOSTS, PLAIN, configured, plan_of, workspace
from tests.unit.plan.test_services import planned, request

FOLDER = Path(__file__).parents[3] / "profiles" / "apparmor"
OURS = sorted(path.name for path in FOLDER.iterdir() if path.name != "seed-baseline")
UBUNTU = HOSTS["ubuntu-24-04-apparmor"]


def plan(host: HostFacts, profile: str = "dev") -> Plan:
    config = configured(f'image = "img:1"\nprofile = "{profile}"\n')
    return plan_of(config, host, None, workspace(), Grants(allow_runc=True, trusted=True))


def asked(the_plan: Plan) -> str:
    option = the_plan.container.option("apparmor")
    return option.value.value if isinstance(option, Value) else ""


@pytest.mark.parametrize("name", OURS)
def test_each_apparmor_profile_compiles(name: str) -> None:
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin")
    if parser is None:
        pytest.skip("no apparmor_parser: install apparmor")
    command = [parser, "-Q", "-K", "--skip-kernel-load", str(FOLDER / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [parser, "-N", str(FOLDER / name)], capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == [name]


@pytest.mark.parametrize("name", OURS)
def test_each_apparmor_profile_has_no_finding(name: str) -> None:
    source = SourceText(f"/p/apparmor/{name}", (FOLDER / name).read_text())
    assert find(source.path) is not None
    assert analysis.check_source(source, threshold=Severity.HINT).findings == ()


def test_the_guides_profile_is_kept_with_its_faults_and_asked_for_by_none() -> None:
    source = SourceText("/p/apparmor/seed-baseline", (FOLDER / "seed-baseline").read_text())
    rules = {finding.rule for finding in analysis.check_source(source).findings}
    assert {"apparmor-undeclared-variable", "apparmor-no-exec"} <= rules
    guide = (Path(__file__).parents[2] / "data/installation-guide.md").read_text()
    printed = source.text[source.text.index("\nprofile ") + 1 :]
    assert printed in guide
    assert {profiles.load(name).apparmor for name in profile_names()} == {"", *OURS}


def test_a_profile_is_asked_for_only_where_it_was_seen_loaded() -> None:
    loaded = UBUNTU._replace(apparmor_profiles=("sandboxd-agent", "sandboxd-dev"))
    assert UBUNTU.apparmor is True
    assert asked(plan(loaded)) == "sandboxd-dev"
    assert asked(plan(loaded, "agent")) == "sandboxd-agent"
    assert asked(plan(loaded, "trusted")) == ""
    for host in (UBUNTU, UBUNTU._replace(apparmor_profiles=("sandboxd-agent",))):
        the_plan = plan(host)
        assert asked(the_plan) == ""
        (downgrade,) = [d for d in the_plan.downgrades if d.control == "AppArmor"]
        assert "`sandboxd-dev`" in downgrade.why and downgrade.fix.startswith(
            "sudo apparmor_parser -r "
        )
    for host in (PLAIN, GVISOR, loaded._replace(apparmor=False), loaded._replace(apparmor=None)):
        assert asked(plan(host)) == ""


def test_our_enforced_profiles_are_read_from_the_list_of_the_kernel() -> None:
    listed = "docker-default (enforce)\nsandboxd-dev (enforce)\nsandboxd-agent (complain)\n"
    raw = {"system": "Linux", "apparmor_profiles": listed, "engine": {"host": "unix:///x"}}
    assert from_raw(raw).apparmor_profiles == ("sandboxd-dev",)
    assert from_raw({**raw, "apparmor_profiles": None}).apparmor_profiles is None
    assert from_raw({**raw, "engine": {"host": "tcp://far:2376"}}).apparmor_profiles is None


def test_services_beside_the_sandbox_have_its_profile_in_the_override_as_in_the_engine(
    tmp_path: Path,
) -> None:
    host = UBUNTU._replace(apparmor_profiles=frozenset({"sandboxd-dev"}))
    toml = 'runtime = "runc"\n'
    with_db = planned(tmp_path, host, toml, db={"image": "postgres"})
    assert "apparmor=sandboxd-dev" in request(with_db, "db")["HostConfig"]["SecurityOpt"]
    assert '"apparmor=sandboxd-dev"' in compose_override.render(with_db).partition('"db":')[2]
