"""What accounts may do in, the roles and bindings that say so to an API server out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from opsbot.practice.plane import Accounts
from opsbot.testing.cluster import Rule

GROUP = "rbac.authorization.k8s.io"
PREFIX = "practice:"

Object = dict[str, Any]


def rules_of(rights: Iterable[tuple[str, str]]) -> tuple[Rule, ...]:
    """Rules that grant exactly these pairs of verb and resource, in the spelling of `kubectl auth can-i`.

    A resource is `pods`, `pods/log`, `deployments.apps` or `deployments.apps/scale`; the core group has no name.
    """
    verbs: dict[tuple[str, str], list[str]] = {}
    for verb, resource in rights:
        found = verbs.setdefault(_split(resource), [])
        found += [] if verb in found else [verb]
    return tuple(Rule(tuple(given), (resource,), (group,)) for (group, resource), given in verbs.items())


def _split(resource: str) -> tuple[str, str]:
    whole, _, part = resource.partition("/")
    plural, _, group = whole.partition(".")
    return group, f"{plural}/{part}" if part else plural


def objects(accounts: Accounts) -> list[Object]:
    """A ClusterRole and its binding for each account; rules for some namespaces only are Roles in these."""
    made: list[Object] = []
    for account, rules in accounts.items():
        spaces = sorted({space for rule in rules for space in rule.namespaces})
        made += _granted(account, "", [rule for rule in rules if not rule.namespaces])
        for space in spaces:
            made += _granted(account, space, [rule for rule in rules if space in rule.namespaces])
    return made


def _granted(account: str, namespace: str, rules: Sequence[Rule]) -> list[Object]:
    kind = "Role" if namespace else "ClusterRole"
    meta = {"name": PREFIX + account} | ({"namespace": namespace} if namespace else {})
    role = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta, "rules": [_rule(rule) for rule in rules]}
    binding = {
        "apiVersion": f"{GROUP}/v1", "kind": f"{kind}Binding", "metadata": meta,
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": PREFIX + account},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": account}],
    }  # fmt: skip
    return [role, binding]


def _rule(rule: Rule) -> Object:
    names = {"resourceNames": list(rule.names)} if rule.names else {}
    return {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs), **names}
