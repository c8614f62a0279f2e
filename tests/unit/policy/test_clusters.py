"""What the floor lets work on clusters do: only what each of its files lets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.policy import clusters, floor
from sandboxd.policy.floor import NO_FLOOR, Floor

SERVER = "https://10.0.0.1:6443"


def load(files: tuple[Path, Path], *texts: str) -> Floor:
    for path, text in zip(files, texts, strict=False):
        path.write_text(text)
    return floor.load({"XDG_CONFIG_HOME": str(files[1].parent.parent)}, str(files[0]))


def refusal(demands: Floor, context: str = "team", namespace: str = "shop") -> str:
    """The whole error; '' where it is allowed."""
    try:
        clusters.require_allowed(demands, context, SERVER, namespace)
    except UsageError as error:
        return f"{error.message}\n{error.hint}"
    return ""


def test_without_a_demand_each_cluster_is_allowed(files: tuple[Path, Path]) -> None:
    assert refusal(load(files)) == refusal(NO_FLOOR) == ""


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("clusters = []", False),
        ('clusters = ["other"]', False),
        ('clusters = ["other", "team"]', True),
        ('clusters = ["te*"]', False),
        (f'clusters = ["{SERVER}/"]', True),
        ('clusters = ["https://10.0.0.1"]', False),
        ('clusters = ["HTTPS://10.0.0.1:06443//"]', True),
        ('clusters = ["http://10.0.0.1:6443"]', False),
        ('clusters = ["https://10.0.0.1:6443/other"]', False),
        ("cluster_namespaces = []", False),
        ('cluster_namespaces = ["default", "shop"]', True),
        ('cluster_namespaces = ["sho"]', False),
        ('clusters = ["team"]\ncluster_namespaces = ["other"]', False),
        ("cluster_secrets = false", True),
    ],
)
def test_what_is_named_is_allowed_and_nothing_else(
    files: tuple[Path, Path], text: str, is_allowed: bool
) -> None:
    said = refusal(load(files, text))
    assert (said == "") is is_allowed
    assert is_allowed or f"is not allowed by `{files[0]}`" in said


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("https://API.example", "https://api.example"),
        ("HTTPS://api.example:443/", "https://api.example"),
        ("https://api.example:80", "https://api.example:80"),
        ("http://api.example:80", "http://api.example"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
        ("https://a.example/k8s/clusters/C-1/", "https://a.example/k8s/clusters/C-1"),
        # Neither is an address that we are sure of, and what is not is equal to nothing else.
        ("https://api.example.", "https://api.example."),
        ("https://API.example?a=/", "https://API.example?a=/"),
        ("https://safe.example\\@X", "https://safe.example\\@X"),
        ("https://API.example\n", "https://API.example\n"),
        ("https://ſafe.example", "https://ſafe.example"),
        ("", ""),
    ],
)
def test_an_address_has_one_spelling(text: str, spelling: str) -> None:
    assert clusters.address(text) == clusters.address(spelling) == spelling


def test_both_files_hold_and_the_one_that_refuses_is_named(files: tuple[Path, Path]) -> None:
    demands = load(files, f'clusters = ["{SERVER}"]', 'clusters = ["team"]')
    assert refusal(demands) == ""
    said = refusal(demands, context="mine")
    assert (
        f"the cluster of your context `mine` at `{SERVER}` is not allowed by `{files[1]}`" in said
    )
    assert "clusters that it allows: `team`; without `--on`, or with `--here`, it is about" in said
    demands = load(files, 'cluster_namespaces = ["a", "shop"]', 'cluster_namespaces = ["a"]')
    said = refusal(demands)
    assert f"the namespace `shop` of your context `team` is not allowed by `{files[1]}`" in said
    assert "namespaces that it allows: `a`;" in said
    assert refusal(demands, namespace="a") == ""


def test_a_context_with_the_name_of_an_address_is_not_at_it(files: tuple[Path, Path]) -> None:
    """A user names contexts; an address is the API server's."""
    for address in ("https://safe.example", "HTTPS://safe.example", " https://safe.example"):
        demands = load(files, f'clusters = ["{address}"]')
        assert "is not allowed" in refusal(demands, context=address)


def test_no_secret_goes_where_one_file_says_so(files: tuple[Path, Path]) -> None:
    clusters.require_secrets_allowed(load(files, ""))
    with pytest.raises(UsageError, match="`--secrets-on-cluster` is not allowed by") as caught:
        clusters.require_secrets_allowed(load(files, "", "cluster_secrets = false"))
    assert str(files[1]) in caught.value.message and "run it here" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        'clusters = "team"', "clusters = false", "clusters = [1]", "cluster_namespaces = true",
        "cluster_secrets = true", 'cluster_secrets = "no"', 'cluster = ["team"]',
    ],
)  # fmt: skip
def test_what_is_unclear_stops_everything(files: tuple[Path, Path], text: str) -> None:
    with pytest.raises(UsageError, match=f"`{files[0]}`"):
        load(files, text)
