"""The ground in somebody's cluster: what is asked first, what is made, and that it goes again however things end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.practice import scene
from opsbot.practice.guest import IMAGE, GuestPlane, belongings, guest, leaving
from opsbot.practice.guest.cluster import LABEL
from opsbot.practice.guest.permits import WISHES
from opsbot.practice.plane import Plane
from opsbot.practice.processes import Keeper, keeping
from opsbot.testing.cluster import Rule
from tests.practice.guest.somebodys import REVIEW, Somebodys, silent_for

NAME = "opsbot-demo"
SPACE = f"/api/v1/namespaces/{NAME}"
ACCOUNTS = {
    "reader": (Rule(("get", "list"), ("pods",), ("",)),),
    "writer": (Rule(("get", "patch"), ("deployments",), ("apps",)),),
}


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    with keeping() as kept:
        yield kept


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Somebodys:
    for module in (belongings, leaving):
        monkeypatch.setattr(module, "GLANCE", 0.001)
    return Somebodys()


Told = list[str]


@contextmanager
def raised(cluster: Somebodys, keeper: Keeper, name: str = NAME, told: Told | None = None) -> Iterator[Plane]:
    heard = [] if told is None else told
    site = scene.Site(name, IMAGE, mute=True)
    with guest(cluster, name, ACCOUNTS, heard.append, heard.append)(keeper, scene.objects(site)) as plane:
        yield plane


def test_all_is_made_in_one_namespace_and_gone_afterwards(cluster: Somebodys, keeper: Keeper) -> None:
    told: Told = []
    with raised(cluster, keeper, told=told) as plane:
        assert cluster.namespaces == ["prod", NAME]
        assert plane.replicas(NAME, scene.DEPLOYMENT) == (scene.REPLICAS, scene.REPLICAS)
        assert {name: plane.token(name) for name in ("reader", "writer", "app")} == {
            "reader": "token of opsbot-reader", "writer": "token of opsbot-writer", "app": "token of opsbot-app",
        }  # fmt: skip
        assert all(f"/namespaces/{NAME}/" in path for path in cluster.sent("POST")[1:])
    assert cluster.namespaces == ["prod"]
    assert cluster.sent("DELETE") == [SPACE]
    assert told[-1] == f"removing the namespace {NAME}"


def test_the_namespace_says_whose_it_is(cluster: Somebodys, keeper: Keeper) -> None:
    with raised(cluster, keeper):
        labels = cluster.objects[SPACE]["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "opsbot-demo"
        assert len(labels[LABEL]) == 16


def test_accounts_get_what_is_stated_and_no_more(cluster: Somebodys, keeper: Keeper) -> None:
    with raised(cluster, keeper):
        roles = {path.rpartition("/")[2]: obj["rules"] for path, obj in cluster.objects.items() if "/roles/" in path}
        assert roles == {
            "opsbot-reader": [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}],
            "opsbot-writer": [{"verbs": ["get", "patch"], "apiGroups": ["apps"], "resources": ["deployments"]}],
            "opsbot-app": [
                {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]},
                {"verbs": ["create"], "apiGroups": [""], "resources": ["events"]},
            ],
        }
        bindings = [obj for path, obj in cluster.objects.items() if "/rolebindings/" in path]
        assert len(bindings) == 3
        for binding in bindings:
            (subject,) = binding["subjects"]
            assert subject == {"kind": "ServiceAccount", "name": binding["roleRef"]["name"], "namespace": NAME}
            assert binding["roleRef"]["kind"] == "Role"
    assert not any("clusterrole" in path for path in cluster.sent("POST"))


def test_its_pods_can_run_on_any_node(cluster: Somebodys, keeper: Keeper) -> None:
    with raised(cluster, keeper):
        (workload,) = (obj for path, obj in cluster.objects.items() if "/deployments/" in path)
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_it_says_what_is_played(cluster: Somebodys, keeper: Keeper) -> None:
    with raised(cluster, keeper) as plane:
        for words in (cluster.named, NAME, "`pause`", "Events"):
            assert words in plane.simulated
        assert plane.writes() == ()
        plane.logs_from(keeper.folder)


@pytest.mark.parametrize("ca", ["", "PEM"])
def test_the_certificate_is_handed_on(cluster: Somebodys, keeper: Keeper, ca: str) -> None:
    cluster.ca = ca
    with raised(cluster, keeper) as plane:
        assert bool(plane.ca_file) is bool(ca)
        assert not ca or (keeper.folder / "ca.crt").read_text() == ca


def test_replicas_are_as_last_seen_while_there_is_no_answer(cluster: Somebodys) -> None:
    plane = GuestPlane(cluster, NAME, "")
    cluster.add(f"/apis/apps/v1/namespaces/{NAME}/deployments",
                {"kind": "Deployment", "metadata": {"name": "agents"}, "spec": {"replicas": 4}})  # fmt: skip
    assert plane.replicas(NAME, "agents") == (4, 4)
    asked = len(cluster.requests)
    assert plane.replicas(NAME, "agents") == (4, 4)
    assert len(cluster.requests) == asked, "not asked again within a second"
    plane._seen = (-10.0, (4, 3))
    cluster.before = silent_for(1, "GET")
    assert plane.replicas(NAME, "agents") == (4, 3)


# refused before anything is made -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kube-system", "kube-node-lease", "kube-mine", "default", "openshift", "openshift-x"])
def test_a_system_namespace_is_refused_unseen(cluster: Somebodys, keeper: Keeper, name: str) -> None:
    with pytest.raises(PermanentError, match="system namespace"), raised(cluster, keeper, name):
        pass
    assert cluster.requests == []


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 64, "a/b", "../x", "a b", "a\n", "ä", "a.b"])
def test_what_is_no_name_is_refused_unseen(cluster: Somebodys, keeper: Keeper, name: str) -> None:
    with pytest.raises(PermanentError, match="no namespace can be called that"), raised(cluster, keeper, name):
        pass
    assert cluster.requests == []


def test_a_namespace_that_exists_is_left_alone(cluster: Somebodys, keeper: Keeper) -> None:
    with pytest.raises(PermanentError, match="the namespace prod exists already"), raised(cluster, keeper, "prod"):
        pass
    assert cluster.sent("POST") == cluster.sent("DELETE") == []


@pytest.mark.parametrize(("more", "says"), [
    pytest.param({}, r"made by a demo at 2026-11-22T00:00:00Z .* kubectl --kubeconfig 'their s' --context prod"
                     r" delete namespace opsbot-demo", id="killed"),
    pytest.param({"deletionTimestamp": "2026-11-23T00:00:00Z"}, "is still being deleted", id="going"),
])  # fmt: skip
def test_one_that_an_earlier_demo_left_is_explained(
    cluster: Somebodys, keeper: Keeper, more: dict[str, str], says: str
) -> None:
    cluster.glances_to_go = 99
    meta = {"name": NAME, "labels": {LABEL: "x"}, "creationTimestamp": "2026-11-22T00:00:00Z", **more}
    cluster.add("/api/v1/namespaces", {"metadata": meta})
    with pytest.raises(PermanentError, match=says), raised(cluster, keeper):
        pass
    assert cluster.sent("POST") == cluster.sent("DELETE") == []


def test_all_missing_rights_are_told_at_once(cluster: Somebodys, keeper: Keeper) -> None:
    cluster.denied = {("create", "namespaces"), ("create", "serviceaccounts/token")}
    says = "you may not create namespaces, create serviceaccounts/token;"
    with pytest.raises(PermanentError, match=says), raised(cluster, keeper):
        pass
    assert [path for _, path, _ in cluster.requests] == [REVIEW] * len(WISHES)


@pytest.mark.parametrize("wish", WISHES, ids=" ".join)
def test_each_right_is_needed(cluster: Somebodys, keeper: Keeper, wish: tuple[str, str, str, str]) -> None:
    verb, _, resource, part = wish
    cluster.denied = {(verb, f"{resource}/{part}" if part else resource)}
    with pytest.raises(PermanentError, match=f"you may not {verb} {resource}"), raised(cluster, keeper):
        pass
    assert cluster.sent("POST") == []


@pytest.mark.parametrize(("method", "path", "says"), [
    pytest.param("POST", REVIEW, "refused to ask what you may do: 401: who\\?; the credential is not", id="review"),
    pytest.param("GET", SPACE, "refused to get the namespace opsbot-demo: 401: who\\?", id="look"),
])  # fmt: skip
def test_a_credential_that_is_not_accepted(
    cluster: Somebodys, keeper: Keeper, method: str, path: str, says: str
) -> None:
    cluster.before = lambda *asked: (401, {"message": "who?"}) if asked[:2] == (method, path) else None
    with pytest.raises(PermanentError, match=says), raised(cluster, keeper):
        pass
    assert NAME not in cluster.namespaces


def test_a_server_that_cannot_be_reached(cluster: Somebodys, keeper: Keeper) -> None:
    cluster.before = silent_for(1, "POST")
    with pytest.raises(Blind, match="no answer in time"), raised(cluster, keeper):
        pass
    assert cluster.sent("DELETE") == []


# however it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [PermanentError("the scene is stuck"), KeyboardInterrupt(), ValueError("a bug")],
                         ids=["error", "Ctrl-C", "bug"])  # fmt: skip
def test_it_goes_when_the_scene_breaks_off(cluster: Somebodys, keeper: Keeper, error: BaseException) -> None:
    with pytest.raises(type(error)), raised(cluster, keeper):
        raise error
    assert cluster.namespaces == ["prod"]


def refusing(part: str) -> Callable[[str, str, Any], tuple[int, dict[str, Any]] | None]:
    said = (403, {"message": "exceeded quota: no more"})
    return lambda method, path, _body: said if method == "POST" and path.endswith(part) else None


@pytest.mark.parametrize("part", ["/serviceaccounts", "/roles", "/rolebindings", "/token", "/deployments", "/services"])
def test_it_goes_when_something_cannot_be_made(cluster: Somebodys, keeper: Keeper, part: str) -> None:
    cluster.before = refusing(part)
    with pytest.raises(PermanentError, match="403: exceeded quota: no more"), raised(cluster, keeper):
        pass
    assert cluster.namespaces == ["prod"]


def test_it_goes_when_its_making_was_not_confirmed(cluster: Somebodys, keeper: Keeper) -> None:
    def lost(method: str, path: str, body: Any) -> None:
        if (method, path) == ("POST", "/api/v1/namespaces"):
            cluster.add(path, body)
            raise Blind("no answer in time")

    cluster.before = lost
    with pytest.raises(Blind, match="no answer in time"), raised(cluster, keeper):
        pass
    assert cluster.namespaces == ["prod"]


def test_somebody_else_who_was_quicker_keeps_theirs(cluster: Somebodys, keeper: Keeper) -> None:
    def quicker(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("POST", "/api/v1/namespaces"):
            cluster.add(path, {"metadata": {"name": NAME}})

    cluster.before = quicker
    with pytest.raises(PermanentError, match="409: already exists"), raised(cluster, keeper):
        pass
    assert cluster.namespaces == ["prod", NAME]
    assert cluster.sent("DELETE") == []


def test_one_that_was_made_anew_meanwhile_is_left_alone(cluster: Somebodys, keeper: Keeper) -> None:
    with raised(cluster, keeper):
        cluster.add("/api/v1/namespaces", {"metadata": {"name": NAME, "labels": {LABEL: "another demo's"}}})
    assert NAME in cluster.namespaces
    assert cluster.sent("DELETE") == []


def test_pods_that_do_not_come_up_are_explained(
    cluster: Somebodys, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belongings, "READY_WITHIN", 0.05)
    monkeypatch.setattr(belongings, "PATIENT_FOR", 0.01)
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "registry.k8s.io/pause:3.10"'}
    cluster.stuck = {"containerStatuses": [{"state": {"waiting": waiting}}]}
    told: Told = []
    says = "0 of 4 pods were ready after 0 s: ImagePullBackOff: Back-off pulling image"
    with pytest.raises(PermanentError, match=says), raised(cluster, keeper, told=told):
        pass
    assert any("0 of 4 are ready: ImagePullBackOff" in line for line in told)
    assert cluster.namespaces == ["prod"]


@pytest.mark.parametrize(("status", "says"), [
    ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]},
     "Unschedulable: 0/3 nodes"),
    ({"phase": "Pending"}, "the cluster does not say why"),
])  # fmt: skip
def test_why_as_the_cluster_says_it(cluster: Somebodys, status: dict[str, Any], says: str) -> None:
    cluster.stuck = status
    assert belongings._trouble(cluster, NAME) == says


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_answer_at_the_end_is_asked_again(cluster: Somebodys, keeper: Keeper, method: str) -> None:
    with raised(cluster, keeper):
        cluster.before = silent_for(3, method)
    assert cluster.namespaces == ["prod"]


@pytest.mark.parametrize(("status", "said", "why"), [
    pytest.param(403, {"message": "forbidden by policy"}, "403: forbidden by policy", id="refused"),
    pytest.param(200, {}, "it is still being deleted after 0 s", id="never gone"),
])  # fmt: skip
def test_what_may_be_left_behind_is_said_with_the_command(
    cluster: Somebodys, keeper: Keeper, status: int, said: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "GONE_WITHIN", 0.05)
    says = f"may be left behind: .*{why}.* Remove it: kubectl --kubeconfig 'their s' --context prod delete namespace"
    with pytest.raises(PermanentError, match=says), raised(cluster, keeper):
        cluster.before = lambda method, *_: (status, said) if method == "DELETE" else None
