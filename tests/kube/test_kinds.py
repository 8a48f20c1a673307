from __future__ import annotations

import pytest

from opsbot.core.errors import PermanentError
from opsbot.kube.kinds import VERBS, kind_of, place


@pytest.mark.parametrize(("resource", "kind", "part"), [
    ("pods", "Pod", ""), ("pods/log", "Pod", "log"), ("deployments.apps", "Deployment", ""),
    ("deployments.apps/scale", "Deployment", "scale"), ("ingresses.networking.k8s.io", "Ingress", ""),
])  # fmt: skip
def test_kind_of(resource: str, kind: str, part: str) -> None:
    assert kind_of(resource) == (kind, part)


@pytest.mark.parametrize("kind", VERBS)
def test_every_kind_is_found_by_its_resource(kind: str) -> None:
    group, _version, plural, _namespaced = place(kind)
    assert kind_of(f"{plural}.{group}" if group else plural) == (kind, "")


@pytest.mark.parametrize("resource", ["", "deployments", "pods.apps", "Pod", "widgets.example.org", "/log"])
def test_an_unknown_resource(resource: str) -> None:
    with pytest.raises(PermanentError, match="is no resource that opsbot can reach"):
        kind_of(resource)
