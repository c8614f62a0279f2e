"""A company's proxy: named by the policy alone, its credentials by a file that only the user reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Upstream
from sandboxd.errors import UsageError
from sandboxd.policy import floor, proxy_credentials
from sandboxd.policy.floor import Floor
from tests.unit.plan.examples import GVISOR, configured, plan_of, workspace


def load(files: tuple[Path, Path]) -> Floor:
    organisation, user = files
    return floor.load({"XDG_CONFIG_HOME": str(user.parent.parent)}, str(organisation))


PROXY = 'network_proxy = "http://proxy.corp.example:3128"\n'


def test_a_proxy_and_its_exceptions_are_read(files: tuple[Path, Path]) -> None:
    files[1].write_text(f'network_proxy_except = ["*.near.example", "db.example"]\n{PROXY}')
    assert load(files).network_proxy == Upstream(
        "proxy.corp.example", 3128, "", (pattern("*.near.example"), pattern("db.example"))
    )
    files[1].write_text('network_proxy = "http://[fd00::1]:80/"\n')
    assert load(files).network_proxy == Upstream("fd00::1", 80)


def test_the_organisations_counts_before_the_users_with_its_own_exceptions(
    files: tuple[Path, Path],
) -> None:
    files[0].write_text(PROXY)
    files[1].write_text(
        'network_proxy = "http://10.0.0.1:80"\nnetwork_proxy_except = ["a.example"]\n'
    )
    assert load(files).network_proxy == Upstream("proxy.corp.example", 3128)
    files[1].write_text('network_proxy_except = ["a.example"]\n')
    with pytest.raises(UsageError) as caught:
        load(files)
    assert "it is about the proxy of its own file" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("3128", "the URL of a proxy"),
        ('"proxy.corp.example:3128"', "is not of the form `http://HOST:PORT`"),
        ('"https://proxy.corp.example:3128"', "is not of the form"),
        ('"socks5://proxy.corp.example:1080"', "is not of the form"),
        ('"http://proxy.corp.example:3128/wpad.dat"', "is not of the form"),
        ('"http://proxy.corp.example"', "names no port"),
        ('"http://proxy.corp.example:0"', "names no port"),
        ('"http://proxy.corp.example:99999"', "is no URL"),
        ('"http://127.0.0.1:3128"', "which no container reaches"),
        ('"http://[::1]:3128"', "which no container reaches"),
        ('"http://localhost:3128"', "this machine's own name"),
        ('"http://:3128"', "names a host that is empty"),
        ('"http://a_b.c..d:3128"', "not a host name"),
    ],
)
def test_what_no_gateway_can_use_stops_everything(
    files: tuple[Path, Path], value: str, words: str
) -> None:
    files[1].write_text(f"network_proxy = {value}\n")
    with pytest.raises(UsageError) as caught:
        load(files)
    assert words in caught.value.message + (caught.value.hint or "")


@pytest.mark.parametrize("value", ['"a.example"', "[1]", '["*"]', '["10.0.0.0/8"]', '["a..b"]'])
def test_exceptions_are_hosts_and_wildcards(files: tuple[Path, Path], value: str) -> None:
    files[1].write_text(f"{PROXY}network_proxy_except = {value}\n")
    with pytest.raises(UsageError):
        load(files)


def test_credentials_in_a_policy_are_refused_and_not_repeated(files: tuple[Path, Path]) -> None:
    files[1].write_text('network_proxy = "http://me:hush@proxy.corp.example:3128"\n')
    with pytest.raises(UsageError) as caught:
        load(files)
    assert "`proxy-credentials`" in caught.value.message
    assert "hush" not in caught.value.message + (caught.value.hint or "")


def test_a_plan_goes_by_the_proxy_and_says_so_without_credentials() -> None:
    demanded = Floor(network_proxy=Upstream("proxy.corp.example", 3128))
    config = configured('image = "img:1"\n')
    plan = plan_of(config, GVISOR, None, workspace(), floor=demanded)
    assert plan.egress is not None and plan.egress.upstream == demanded.network_proxy
    (reason,) = [each for each in plan.reasons if "proxy" in each.item]
    assert reason.item == "through the proxy proxy.corp.example:3128"
    assert reason.decided_by == "floor"


# -- credentials


def given(files: tuple[Path, Path], folder: str = "/elsewhere") -> str:
    return proxy_credentials.read(str(files[1].parent), folder)


def write(files: tuple[Path, Path], data: bytes, mode: int = 0o600) -> Path:
    path = files[1].parent / proxy_credentials.FILE_NAME
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_credentials_are_one_line_of_a_file_of_ones_own(files: tuple[Path, Path]) -> None:
    assert given(files) == ""
    write(files, "me:pass wörd:x\r\n".encode())
    assert given(files) == "me:pass wörd:x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_credentials_that_others_can_read_are_refused(files: tuple[Path, Path], mode: int) -> None:
    write(files, b"me:hush\n", mode)
    with pytest.raises(UsageError, match="can be read by others"):
        given(files)


@pytest.mark.parametrize(
    "data", [b"", b"hush", b"me:hush\nx:y\n", b"me:hush\0", b"me:\xff", b"a:" + 600 * b"x"]
)
def test_what_is_no_line_of_credentials_is_refused_and_not_repeated(
    files: tuple[Path, Path], data: bytes
) -> None:
    write(files, data)
    with pytest.raises(UsageError) as caught:
        given(files)
    assert "hush" not in caught.value.message + (caught.value.hint or "")


def test_a_link_a_pipe_and_a_file_within_the_workspace_are_refused(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    path = write(files, b"me:hush\n")
    with pytest.raises(UsageError, match="lie in the workspace"):
        given(files, str(tmp_path))
    path.rename(tmp_path / "real")
    path.symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="cannot read"):
        given(files)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(UsageError):
        given(files)
    path.unlink()
    path.mkdir(0o700)
    with pytest.raises(UsageError, match="cannot read"):
        given(files)
