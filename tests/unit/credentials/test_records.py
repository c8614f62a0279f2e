"""The user's list of credentials: strict, private, and without a secret."""

from __future__ import annotations

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record as Audit
from sandboxd.audit.record import RecordFailure
from sandboxd.credentials import own_services, records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.credentials.resolve import record_of
from sandboxd.credentials.sources import NoSecret
from sandboxd.errors import UsageError
from tests.patience import PATIENCE

GITHUB = Record(Name("github"), "environment", ("GH_TOKEN",))
WORK = Record(Name("github", "work"), "command", ("pass", "show", "a b"))
NPM = Record(Name("npm"), "file")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}


def listed(environ: dict[str, str]) -> tuple[Record, ...]:
    """The records without their serials, which are by chance."""
    return tuple(each._replace(serial="") for each in records.load(environ))


def path_of(environ: dict[str, str]) -> Path:
    return Path(environ["XDG_CONFIG_HOME"]) / "sandboxd" / records.FILE_NAME


def test_what_was_put_is_read_and_private(environ: dict[str, str]) -> None:
    assert records.load(environ) == ()
    for record in (NPM, WORK, GITHUB):
        records.put(environ, record)
    assert listed(environ) == (GITHUB, WORK, NPM)
    assert path_of(environ).stat().st_mode & 0o777 == 0o600


def test_a_second_answer_takes_the_place_of_the_first(environ: dict[str, str]) -> None:
    records.put(environ, GITHUB)
    other = GITHUB._replace(source="keyring", place=())
    records.put(environ, other)
    assert listed(environ) == (other,)


def test_one_account_goes_and_the_other_stays(environ: dict[str, str]) -> None:
    records.put(environ, GITHUB)
    records.put(environ, WORK)
    removed, problem = records.remove(environ, GITHUB.name)
    assert removed is not None and removed._replace(serial="") == GITHUB and problem == ""
    assert records.remove(environ, GITHUB.name) == (None, "")
    assert listed(environ) == (WORK,)


@pytest.mark.parametrize(
    "table",
    [
        'name = "nothing"\nsource = "file"\nplace = []',
        'name = "github"\nsource = "socket"\nplace = []',
        'name = "github"\nsource = "file"\nplace = ["x"]',
        'name = "github"\nsource = "environment"\nplace = []',
        'name = "github"\nsource = "command"\nplace = [""]',
        'name = "github"\nsource = "command"\nplace = [1]',
        'name = "github"\nplace = []',
        "name =",
    ],
)
def test_a_list_that_is_not_whole_stops_everything(environ: dict[str, str], table: str) -> None:
    path = path_of(environ)
    path.parent.mkdir()
    path.write_text(f"[[credentials]]\n{table}\n")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="is not a list of credentials"):
        records.load(environ)


OWN = """title = "Mine"
[[endpoint]]
name = "api"
host = "forge.example.com"
header = "Authorization"
scheme = "bearer"
methods = []
paths = ["/"]
"""


@pytest.fixture
def own(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a service that the user describes, for which there is a record."""
    monkeypatch.setenv("XDG_CONFIG_HOME", environ["XDG_CONFIG_HOME"])
    path = Path(own_services.path("my-own"))
    path.parent.mkdir(parents=True)
    path.write_text(OWN)
    path.chmod(0o600)
    records.put(environ, GITHUB)
    records.put(environ, Record(Name("my-own"), "environment", ("OWN_TOKEN",)))
    return path


@pytest.mark.parametrize("text", [None, "title = ", OWN.replace('"api"', '"api"\nodd = 1')])
def test_a_service_that_is_not_described_takes_only_its_own_secret_away(
    environ: dict[str, str], own: Path, text: str | None
) -> None:
    whole = records.load(environ)
    assert not any(each.problem for each in whole)
    own.unlink() if text is None else own.write_text(text)
    github, mine = records.load(environ)
    assert github == whole[0] and str(own) in mine.problem
    assert mine.identity != whole[1].identity
    with pytest.raises(NoSecret, match="my-own"):
        record_of((github, mine), Name("my-own"))
    records.put(environ, WORK)
    own.write_text(OWN)
    own.chmod(0o600)
    assert records.find(records.load(environ), Name("my-own")) == whole[1]
    own.unlink()
    assert records.remove(environ, Name("my-own"))[0] is not None
    assert [each.name for each in records.load(environ)] == [GITHUB.name, WORK.name]


def test_a_list_that_others_can_write_names_no_command(environ: dict[str, str]) -> None:
    records.put(environ, WORK)
    path_of(environ).chmod(0o666)
    with pytest.raises(UsageError, match="can be written by others"):
        records.load(environ)


def test_a_link_is_no_list(environ: dict[str, str], tmp_path: Path) -> None:
    records.put(environ, WORK)
    other = tmp_path / "other.toml"
    os.rename(path_of(environ), other)
    path_of(environ).symlink_to(other)
    with pytest.raises(UsageError, match="no regular file"):
        records.load(environ)


def test_what_is_put_and_removed_at_once_is_all_done(environ: dict[str, str]) -> None:
    old = [Record(Name("github", f"old{n}"), "file") for n in range(4)]
    new = [Record(Name("github", f"new{n}"), "file") for n in range(4)]
    for record in old:
        records.put(environ, record)
    barrier = threading.Barrier(len(old) + len(new))

    def change(record: Record) -> None:
        barrier.wait(PATIENCE)
        if record in old:
            records.remove(environ, record.name)
        else:
            records.put(environ, record)

    with ThreadPoolExecutor(len(old) + len(new)) as pool:
        list(pool.map(change, [*old, *new], timeout=PATIENCE))
    assert sorted(listed(environ)) == new


def test_a_serial_is_given_once(environ: dict[str, str]) -> None:
    """Who holds the secret of an earlier record knows by it that this one is another."""

    def serial(record: Record) -> str:
        records.put(environ, record)
        found = records.find(records.load(environ), record.name)
        assert found is not None
        return found.serial

    first = serial(GITHUB)
    seen = [first, serial(GITHUB), serial(GITHUB._replace(place=("OTHER",))), serial(GITHUB)]
    seen += [serial(NPM), serial(NPM)]
    records.remove(environ, GITHUB.name)
    seen.append(serial(GITHUB))
    assert len(set(seen)) == len(seen) and all(seen)


def test_a_list_of_an_older_version_has_no_serials(environ: dict[str, str]) -> None:
    path = path_of(environ)
    path.parent.mkdir()
    path.write_text('[[credentials]]\nname = "npm"\nsource = "file"\nplace = []\n')
    path.chmod(0o600)
    assert records.load(environ) == (NPM,)


def entries(environ: dict[str, str]) -> list[tuple[str, dict[str, object]]]:
    record = Audit(notes.folder(environ))
    reading = chain.check(record.files(), record.marks())
    return [(entry.kind, dict(entry.facts)) for entry in reading.entries]


def test_what_is_put_and_removed_is_recorded_without_a_secret(environ: dict[str, str]) -> None:
    keys = ("SHA256:abc", "github.com:22")
    for record in (WORK._replace(place=("pass", "--token=s3cret")), NPM, GITHUB):
        records.put(environ, record)
    records.put(environ, Record(Name("ssh"), "ssh-agent", keys))
    records.remove(environ, NPM.name)
    assert entries(environ) == [
        ("credential-added", {"name": "github:work", "source": "command", "place": ["pass"]}),
        ("credential-added", {"name": "npm", "source": "file", "place": []}),
        ("credential-added", {"name": "github", "source": "environment", "place": ["GH_TOKEN"]}),
        ("credential-added", {"name": "ssh", "source": "ssh-agent", "place": list(keys)}),
        ("credential-removed", {"name": "npm"}),
    ]


def test_what_cannot_be_recorded_is_not_put_and_is_removed_all_the_same(
    environ: dict[str, str],
) -> None:
    records.put(environ, NPM)
    folder = Path(notes.folder(environ))
    shutil.rmtree(folder)
    folder.write_text("in the way")
    with pytest.raises(RecordFailure):
        records.put(environ, GITHUB)
    assert listed(environ) == (NPM,)
    removed, problem = records.remove(environ, NPM.name)
    assert removed is not None and removed.name == NPM.name
    assert problem.startswith("not recorded: ")
    assert records.load(environ) == ()
