from __future__ import annotations

import pytest

from opsbot.practice.plane import rbac
from opsbot.testing.cluster import READ, Rule
from opsbot.testing.cluster.access import Wish


@pytest.mark.parametrize(("rights", "rules"), [
    pytest.param([], (), id="nothing"),
    pytest.param([("get", "pods")], (Rule(("get",), ("pods",), ("",)),), id="core group"),
    pytest.param([("get", "pods/log")], (Rule(("get",), ("pods/log",), ("",)),), id="subresource"),
    pytest.param([("patch", "deployments.apps")], (Rule(("patch",), ("deployments",), ("apps",)),), id="group"),
    pytest.param([("get", "ingresses.networking.k8s.io")], (Rule(("get",), ("ingresses",), ("networking.k8s.io",)),),
                 id="group with dots"),
    pytest.param([("update", "deployments.apps/scale")], (Rule(("update",), ("deployments/scale",), ("apps",)),),
                 id="group and subresource"),
    pytest.param([("get", "pods"), ("list", "pods"), ("get", "pods"), ("get", "nodes")],
                 (Rule(("get", "list"), ("pods",), ("",)), Rule(("get",), ("nodes",), ("",))), id="together, and once"),
])  # fmt: skip
def test_rules_of(rights: list[tuple[str, str]], rules: tuple[Rule, ...]) -> None:
    assert rbac.rules_of(rights) == rules


def test_rules_grant_what_was_asked_for_and_nothing_beside() -> None:
    rules = rbac.rules_of([("get", "pods/log"), ("patch", "deployments.apps")])
    wishes = {
        Wish("get", "", "pods", "agents", subresource="log"): True,
        Wish("get", "", "pods", "agents"): False,
        Wish("patch", "apps", "deployments", "agents"): True,
        Wish("patch", "apps", "deployments", "agents", subresource="scale"): False,
        Wish("patch", "", "deployments", "agents"): False,
        Wish("delete", "apps", "deployments", "agents"): False,
    }
    assert {wish: any(rule.allows(wish) for rule in rules) for wish in wishes} == wishes


def test_an_account_becomes_a_role_and_a_binding() -> None:
    role, binding = rbac.objects({"reader": rbac.rules_of([("get", "pods/log")])})
    assert (role["kind"], role["metadata"]) == ("ClusterRole", {"name": "practice:reader"})
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}]
    assert binding["kind"] == "ClusterRoleBinding"
    assert binding["roleRef"]["name"] == "practice:reader"
    assert [(one["kind"], one["name"]) for one in binding["subjects"]] == [("User", "reader")]


def test_rules_for_namespaces_stay_in_them() -> None:
    rules = (Rule(("get",), ("pods",), ("",), namespaces=("a", "b")), Rule(("get",), ("nodes",), ("",)),
             Rule(("get",), ("configmaps",), ("",), namespaces=("b",), names=("one",)))  # fmt: skip
    made = [one for one in rbac.objects({"reader": rules}) if not one["kind"].endswith("Binding")]
    found = {
        one["metadata"].get("namespace", ""): (one["kind"], [rule["resources"] for rule in one["rules"]])
        for one in made
    }
    assert found == {
        "": ("ClusterRole", [["nodes"]]), "a": ("Role", [["pods"]]), "b": ("Role", [["pods"], ["configmaps"]]),
    }  # fmt: skip
    assert made[-1]["rules"][1]["resourceNames"] == ["one"]


def test_an_account_that_may_do_nothing_is_known_all_the_same() -> None:
    role, binding = rbac.objects({"reader": ()})
    assert role["rules"] == []
    assert binding["subjects"][0]["name"] == "reader"


def test_stars_stay_stars() -> None:
    role, _ = rbac.objects({"reader": READ})
    assert role["rules"][0]["apiGroups"] == ["*"]
    assert set(role["rules"][0]["verbs"]) == {"get", "list", "watch"}
