"""Each right is asked for by its name, and the Role has exactly these."""

from __future__ import annotations

from typing import Any

from sandboxd.backends.kubernetes import rights
from sandboxd.backends.kubernetes.kubeconfig import Context


class Judge:
    """An API server that allows all but `denied`."""

    context = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")

    def __init__(self, *denied: tuple[str, str]) -> None:
        self.denied = denied
        self.asked: list[dict[str, Any]] = []

    def create(self, _: Any, document: dict[str, Any]) -> dict[str, Any]:
        attributes = document["spec"]["resourceAttributes"]
        self.asked.append(attributes)
        name = "/".join(filter(None, (attributes["resource"], attributes.get("subresource", ""))))
        return {"status": {"allowed": (attributes["verb"], name) not in self.denied}}


def test_what_is_denied_is_named() -> None:
    judge: Any = Judge(("create", "pods/exec"), ("list", "events"))
    missing = rights.missing(judge)
    assert [str(each) for each in missing] == ["create pods/exec", "list events"]
    assert [each.is_optional for each in missing] == [False, True]
    spaces = {each["resource"]: each.get("namespace") for each in judge.asked}
    assert spaces["pods"] == "shop" and spaces["runtimeclasses"] is None


def test_an_answer_that_says_nothing_is_no_right() -> None:
    class Silent(Judge):
        def create(self, _: Any, document: dict[str, Any]) -> dict[str, Any]:
            return {}

    silent: Any = Silent()
    assert len(rights.missing(silent)) == len(rights.RIGHTS)


def test_the_role_gives_exactly_these() -> None:
    role, binding, whole, _ = rights.roles("shop", "ann")
    given = {
        (verb, name) for rule in (*role["rules"], *whole["rules"]) for name in rule["resources"] for verb in rule["verbs"]
    }  # fmt: skip
    assert given == {tuple(str(each).split(" ")) for each in rights.RIGHTS}
    assert "*" not in str(role["rules"]) and role["metadata"]["namespace"] == "shop"
    assert binding["subjects"][0]["name"] == "ann"


def test_a_service_account_is_bound_as_one() -> None:
    subjects = [
        each["subjects"][0] for each in rights.roles("shop", "system:serviceaccount:ci:bot")[1::2]
    ]
    assert subjects == [{"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}] * 2
    assert rights.roles("shop")[1]["subjects"][0]["name"] == "NAME"


def test_missing_rights_are_one_line() -> None:
    judge: Any = Judge(("get", "pods"), ("list", "pods"), ("create", "pods/exec"))
    assert rights.in_one_line(rights.missing(judge)) == "get, list pods; create pods/exec"
