"""What every API server promises of rights: who is nobody, who may what, and that a refusal changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.contracts.cluster.ground import DEPLOYMENTS, MERGE, Ground, at_rest, deployment, paused

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WEB = f"{DEPLOYMENTS}/web"


def test_a_token_of_nobody_gets_nothing(ground: Ground) -> None:
    api = ground.apis["reader"]
    configuration = api.configuration
    known, hook = dict(configuration.api_key), configuration.refresh_api_key_hook
    configuration.api_key["BearerToken"], configuration.refresh_api_key_hook = "nobody", None
    try:
        reply = ground.ask("GET", DEPLOYMENTS, account="reader")
    finally:
        configuration.api_key.update(known)
        configuration.refresh_api_key_hook = hook
    assert (reply.status, (reply.parsed() or {})["reason"]) == (401, "Unauthorized")


def test_the_reader_reads_and_changes_nothing(ground: Ground) -> None:
    ground.good("POST", DEPLOYMENTS, paused())
    web = ground.until(WEB, at_rest)
    assert ground.good("GET", WEB, account="reader") == web
    reply = ground.ask("PATCH", WEB, {"spec": {"replicas": 9}}, content_type=MERGE, account="reader")
    found = reply.parsed() or {}
    assert (reply.status, found["reason"]) == (403, "Forbidden")
    assert re.fullmatch(
        r'deployments\.apps "web" is forbidden: User "[\w-]*reader" cannot patch resource "deployments" '
        f'in API group "apps" in the namespace "{ground.namespace}"',
        found["message"],
    )
    assert found["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    for method, path in (("DELETE", WEB), ("POST", DEPLOYMENTS), ("PUT", WEB)):
        assert ground.ask(method, path, deployment(), account="reader").status == 403
    assert ground.good("GET", WEB) == web


def test_the_writer_patches_and_no_more(ground: Ground) -> None:
    ground.good("POST", DEPLOYMENTS, deployment())
    assert ground.good("PATCH", WEB, {"spec": {"replicas": 9}}, content_type=MERGE, account="writer")
    assert ground.ask("DELETE", WEB, account="writer").status == 403
    assert ground.ask("POST", DEPLOYMENTS, deployment("other"), account="writer").status == 403


def test_neither_sees_secrets(ground: Ground) -> None:
    for account in ("reader", "writer"):
        assert ground.ask("GET", "/api/v1/namespaces/{ns}/secrets", account=account).status == 403


def test_a_missing_object_is_still_forbidden(ground: Ground) -> None:
    assert ground.ask("PATCH", WEB, {}, content_type=MERGE, account="reader").status == 403


def test_what_is_of_the_cluster_is_told_so(ground: Ground) -> None:
    found = ground.refused("DELETE", "/api/v1/nodes/n", account="reader")
    said = 'reader" cannot delete resource "nodes" in API group "" at the cluster scope'
    assert found["message"].endswith(said)


def test_a_dry_run_needs_the_right_to_the_real_one(ground: Ground) -> None:
    found = ground.refused("POST", DEPLOYMENTS, deployment(), account="reader", dryRun="All")
    assert (found["code"], "cannot create resource" in found["message"]) == (403, True)


def test_watching_is_a_right_of_its_own(ground: Ground) -> None:
    assert ground.ask("GET", DEPLOYMENTS, account="reader", watch="true", timeoutSeconds="1").status == 200
    found = ground.refused("GET", DEPLOYMENTS, account="writer", watch="true", timeoutSeconds="1")
    assert (found["code"], "cannot watch resource" in found["message"]) == (403, True)


@pytest.mark.parametrize(
    ("account", "wish", "want"),
    [
        ("reader", {"verb": "list", "resource": "pods"}, True),
        ("reader", {"verb": "get", "resource": "pods", "subresource": "log"}, True),
        ("reader", {"verb": "patch", "group": "apps", "resource": "deployments"}, False),
        ("reader", {"verb": "list", "resource": "secrets"}, False),
        ("writer", {"verb": "patch", "group": "apps", "resource": "deployments"}, True),
        ("writer", {"verb": "delete", "group": "apps", "resource": "deployments"}, False),
        ("admin", {"verb": "delete", "group": "apps", "resource": "deployments"}, True),
    ],
    ids=["list", "subresource", "reader patches", "secrets", "writer patches", "writer deletes", "admin deletes"],
)  # fmt: skip
def test_one_may_ask_what_one_may(ground: Ground, account: str, wish: dict[str, Any], want: bool) -> None:
    attributes = {**wish, "namespace": ground.namespace}
    body = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }  # fmt: skip
    assert ground.good("POST", REVIEWS, body, account=account)["status"]["allowed"] is want
