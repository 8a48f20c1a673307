"""The official client's own typed calls work against every cluster: its models accept what the server says."""

from __future__ import annotations

from typing import Any

from tests.contracts.cluster.ground import DEPLOYMENTS, PODS, Ground, deployment, pod


def test_typed_reads_and_patches(ground: Ground) -> None:
    from kubernetes.client import AppsV1Api, CoreV1Api, VersionApi

    ground.good("POST", DEPLOYMENTS, deployment())
    ground.until(f"{DEPLOYMENTS}/web", lambda found: (found.get("status") or {}).get("readyReplicas") == 2)
    api, limit = ground.apis["admin"], (2, 10)
    apps: Any = AppsV1Api(api)
    core: Any = CoreV1Api(api)
    found = apps.read_namespaced_deployment("web", ground.namespace, _request_timeout=limit)
    assert (found.spec.replicas, found.status.ready_replicas) == (2, 2)
    body = {"spec": {"replicas": 3}}
    patched = apps.patch_namespaced_deployment("web", ground.namespace, body, dry_run="All", _request_timeout=limit)
    assert patched.spec.replicas == 3
    pods = core.list_namespaced_pod(ground.namespace, label_selector="app=web", _request_timeout=limit)
    assert [item.status.phase for item in pods.items] == ["Running", "Running"]
    assert core.list_namespaced_event(ground.namespace, _request_timeout=limit).items
    scale = apps.read_namespaced_deployment_scale("web", ground.namespace, _request_timeout=limit)
    assert (scale.spec.replicas, scale.status.selector) == (2, "app=web")
    assert VersionApi(api).get_code(_request_timeout=limit).git_version.startswith("v1.")


def test_typed_logs_eviction_and_delete(ground: Ground) -> None:
    from kubernetes.client import CoreV1Api, V1DeleteOptions, V1Eviction, V1ObjectMeta, V1Preconditions

    for name in ("a", "b"):
        ground.good("POST", PODS, pod(name))
        ground.until(f"{PODS}/{name}", lambda found: found["status"]["phase"] == "Running")
    ground.log(ground.namespace, "a", "hello\nworld\n", "")
    core: Any = CoreV1Api(ground.apis["admin"])
    limit = (2, 10)
    assert core.read_namespaced_pod_log(
        "a", ground.namespace, container="main", tail_lines=1, _request_timeout=limit
    ) == "world\n"  # fmt: skip
    eviction = V1Eviction(metadata=V1ObjectMeta(name="a", namespace=ground.namespace))
    core.create_namespaced_pod_eviction("a", ground.namespace, eviction, _request_timeout=limit)
    ground.until(PODS, lambda found: [item["metadata"]["name"] for item in found["items"]] == ["b"])
    uid = core.read_namespaced_pod("b", ground.namespace, _request_timeout=limit).metadata.uid
    options = V1DeleteOptions(preconditions=V1Preconditions(uid=uid))
    core.delete_namespaced_pod("b", ground.namespace, body=options, _request_timeout=limit)
    ground.until(PODS, lambda found: not found["items"])
