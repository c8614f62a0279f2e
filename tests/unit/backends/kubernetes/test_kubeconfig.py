"""Which cluster and which user a context means, and the words where it means none."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandboxd.backends.kubernetes import kubeconfig, sign_in
from sandboxd.errors import SandboxdError
from sandboxd.model.sandbox_id import option_of_cluster

SERVER = {"server": "https://10.0.0.1:6443", "certificate-authority": "ca.pem"}


def config(**more: Any) -> dict[str, Any]:
    return {
        "clusters": [{"name": "c", "cluster": SERVER}],
        "contexts": [
            {"name": "team", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}
        ],
        "users": [{"name": "u", "user": {"token": "t"}}],
        **more,
    }


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def load(folder: Path, document: Any, name: str = "team") -> kubeconfig.Context:
    return kubeconfig.load(name, {"KUBECONFIG": str(write(folder / "config", document))})


def refusal(call: Any) -> str:
    with pytest.raises(SandboxdError) as info:
        call()
    return f"{info.value.message}\n{info.value.hint}"


def test_a_context_says_where_and_who(tmp_path: Path) -> None:
    context = load(tmp_path, config())
    assert (context.server, context.namespace) == ("https://10.0.0.1:6443", "shop")
    assert context.cluster["certificate-authority"] == str(tmp_path / "ca.pem")
    assert sign_in.user(context, {}) == {"token": "t"}
    assert context.option == " --on team"


def test_a_line_break_around_a_token_is_none_of_it(tmp_path: Path) -> None:
    context = load(tmp_path, config())._replace(user={"token": " t\n"})
    assert sign_in.user(context, {}) == {"token": "t"}
    script = """printf %s '{"status": {"token": "t\\n"}}'"""
    assert sign_in.user(plugin(tmp_path, script), os.environ) == {"token": "t"}


def test_a_name_that_a_shell_would_read_is_quoted() -> None:
    assert (
        option_of_cluster("arn:aws:eks:eu:1:cluster/a b") == " --on 'arn:aws:eks:eu:1:cluster/a b'"
    )
    assert option_of_cluster("") == ""


def test_of_two_files_the_first_counts_and_both_are_read(tmp_path: Path) -> None:
    first = write(tmp_path / "a", {"users": [{"name": "u", "user": {"token": "first"}}]})
    second = write(tmp_path / "b", config())
    environ = {"KUBECONFIG": os.pathsep.join([str(first), str(second), str(tmp_path / "none")])}
    context = kubeconfig.load("team", environ)
    assert context.user["token"] == "first" and context.namespace == "shop"


def test_without_a_variable_the_file_of_the_home_is_read(tmp_path: Path) -> None:
    write(tmp_path / ".kube/config", config())
    assert kubeconfig.load("team", {"HOME": str(tmp_path)}).namespace == "shop"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (config(contexts=[]), "there is no context `team`"),
        (config(clusters=[]), "which has no server"),
        (config(users=[]), "names the user `u`, who is in none of the files"),
        (
            config(clusters=[{"name": "c", "cluster": {**SERVER, "tls-server-name": "x"}}]),
            "`tls-server-name`",
        ),
        (
            config(users=[{"name": "u", "user": {"token": "t", "as": "x"}}]),
            "acts as another, by `as`",
        ),
        (
            config(users=[{"name": "u", "user": {"as-groups": ["x"]}}]),
            "acts as another, by `as-groups`",
        ),
        ([1], "is no kubeconfig"),
        ("a: [", "is no kubeconfig"),
    ],
)
def test_a_context_that_cannot_be_used_is_named(
    tmp_path: Path, document: Any, message: str
) -> None:
    if isinstance(document, str):
        (tmp_path / "config").write_text(document)
        environ = {"KUBECONFIG": str(tmp_path / "config")}
        assert message in refusal(lambda: kubeconfig.load("team", environ))
    else:
        assert message in refusal(lambda: load(tmp_path, document))


@pytest.mark.parametrize(
    "server", ["https://ann:hidden@10.0.0.1", "https://hidden@10.0.0.1:6443/a", "ann:hidden@10.0.0.1"]
)  # fmt: skip
def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path: Path, server: str) -> None:
    """Each message, the record of the sandbox and the audit log would have it."""
    document = config(clusters=[{"name": "c", "cluster": {"server": server}}])
    said = refusal(lambda: load(tmp_path, document))
    assert "has a user or a password in its `server`" in said and "hidden" not in said


def test_a_server_is_the_same_however_it_is_spelled(tmp_path: Path) -> None:
    """Records of what was copied there are found by it."""
    for server in ("https://Api.example", "https://api.example:443/"):
        document = config(clusters=[{"name": "c", "cluster": {"server": server}}])
        context = load(tmp_path, document)
        assert (context.server, context.cluster["server"]) == ("https://api.example", server)


def test_an_address_may_have_an_at_sign_behind_its_host(tmp_path: Path) -> None:
    server = "https://10.0.0.1/clusters/a@b"
    document = config(clusters=[{"name": "c", "cluster": {"server": server}}])
    assert load(tmp_path, document).server == server


def test_no_file_is_said_with_its_place(tmp_path: Path) -> None:
    said = refusal(lambda: kubeconfig.load("team", {"HOME": str(tmp_path)}))
    assert f"there is no kubeconfig at `{tmp_path}/.kube/config`" in said


def plugin(folder: Path, script: str, **more: Any) -> kubeconfig.Context:
    program = folder / "sign-in"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    entry = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./sign-in", **more}
    return load(folder, config(users=[{"name": "u", "user": {"exec": entry}}]))


def test_a_program_signs_in_and_is_told_of_the_cluster(tmp_path: Path) -> None:
    script = (
        'printf %s "$KUBERNETES_EXEC_INFO" > asked; '
        """echo '{"status": {"token": "fresh '"$1"' '"$WHO"'"}}'"""
    )
    more = {
        "args": ["a"],
        "env": [{"name": "WHO", "value": "me"}],
        "provideClusterInfo": True,
    }
    context = plugin(tmp_path, f"cd {tmp_path}; {script}", **more)
    assert sign_in.user(context, os.environ) == {"token": "fresh a me"}
    asked = (tmp_path / "asked").read_text()
    assert '"server": "https://10.0.0.1:6443"' in asked and '"interactive": false' in asked


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_program_of_either_version_is_asked_in_its_own(tmp_path: Path, version: str) -> None:
    """Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1beta1/"""
    name = f"client.authentication.k8s.io/{version}"
    script = f"""printf %s "$KUBERNETES_EXEC_INFO" > {tmp_path}/asked; echo '{{"status": {{"token": "t"}}}}'"""
    assert sign_in.user(plugin(tmp_path, script, apiVersion=name), os.environ) == {"token": "t"}
    assert json.loads((tmp_path / "asked").read_text())["apiVersion"] == name


def test_a_program_may_give_a_certificate(tmp_path: Path) -> None:
    script = """printf %s '{"status": {"clientCertificateData": "C", "clientKeyData": "K"}}'"""
    assert sign_in.user(plugin(tmp_path, script), os.environ) == {
        "client-certificate-data": "Qw==",
        "client-key-data": "Sw==",
    }


@pytest.mark.parametrize(
    ("script", "more", "message"),
    [
        ("echo 'session expired' >&2; exit 1", {}, "failed: session expired"),
        ("echo '{}'", {}, "it printed neither a token nor a certificate"),
        ("true", {"apiVersion": "client.authentication.k8s.io/v9"}, "of version `client."),
        (
            "true",
            {"command": "no-such-program", "installHint": "get it at example.com"},
            "`no-such-program`, which is not installed\nget it at example.com",
        ),
    ],
)
def test_a_program_that_does_not_sign_in_is_named(
    tmp_path: Path, script: str, more: dict[str, Any], message: str
) -> None:
    context = plugin(tmp_path, script, **more)
    assert message in refusal(lambda: sign_in.user(context, os.environ))
