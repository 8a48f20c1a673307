"""Reading: whole answers come back as they are, and everything else is Blind."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.core.ports import ClusterReader, Listing, Log
from opsbot.kube.read import KubeReader
from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Rule, faults


@pytest.fixture
def reader(cluster: FakeCluster) -> KubeReader:
    return KubeReader(cluster.connect("reader"))


def pod_name(cluster: FakeCluster) -> str:
    return str(cluster.list("Pod", "shop")[0]["metadata"]["name"])


def test_it_is_a_cluster_reader(reader: KubeReader) -> None:
    door: ClusterReader = reader
    assert door.get("Deployment", "shop", "web") is not None


# objects ------------------------------------------------------------------------------------------------------------


def test_one_object(reader: KubeReader, cluster: FakeCluster) -> None:
    assert reader.get("Deployment", "shop", "web") == cluster.get("Deployment", "shop", "web")
    assert reader.get("Namespace", "", "shop") is not None


def test_no_such_object(reader: KubeReader) -> None:
    assert reader.get("Deployment", "shop", "nobody") is None


@pytest.mark.parametrize(
    "fault",
    [
        faults.body(b"<html>404 page not found</html>", code=404, content_type="text/html"),
        faults.body(b'{"kind":"Status","reason":"NotFound","message":"the server could not find the requested '
                    b'resource","details":{},"code":404}', code=404),
        faults.body(b'{"kind":"Status","reason":"NotFound","details":{"name":"other","kind":"deployments"}}', code=404),
        faults.body(b'{"kind":"Status","reason":"NotFound","details":"web"}', code=404),
    ],
    ids=["a proxy's page", "an unknown resource", "another object", "odd details"],
)  # fmt: skip
def test_a_404_that_is_not_about_this_object_is_blind(
    reader: KubeReader, cluster: FakeCluster, fault: faults.Fault
) -> None:
    cluster.fail_next(fault, times=2)
    with pytest.raises(Blind, match="get Deployment/web: 404"):
        reader.get("Deployment", "shop", "web")


BAD_BODIES = {
    "html": b"<html>busy</html>", "half a JSON": b'{"kind":"Deployment","metadata":{"na', "empty": b"", "list": b"[]",
    "no metadata": b"{}", "name of a wrong type": b'{"metadata":{"name":5}}',
    "NaN": b'{"metadata":{"name":"web"},"a":NaN}',
    "too deep": b"[" * 100_000, "a number too long": b'{"metadata":{"name":"web"},"a":' + b"9" * 5000 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_good_status_with_a_bad_body_is_blind(reader: KubeReader, cluster: FakeCluster, body: bytes) -> None:
    cluster.fail_next(faults.body(body), times=2)
    with pytest.raises(Blind, match="get Deployment/web: the answer is no"):
        reader.get("Deployment", "shop", "web")


def test_half_a_surrogate_pair_becomes_text_that_can_be_written(reader: KubeReader, cluster: FakeCluster) -> None:
    cluster.fail_next(faults.body(b'{"metadata":{"name":"web"},"a":"x\\ud800y","b":"\xff"}'))
    found = reader.get("Deployment", "shop", "web") or {}
    assert (found["a"], found["b"]) == ("x?y", "\ufffd")
    assert json.dumps(found, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("name", "namespace"), [("..", "shop"), ("web", ".."), ("web", "")], ids=["name", "namespace", "no namespace"]
)
def test_a_name_that_leads_elsewhere_is_refused(reader: KubeReader, name: str, namespace: str) -> None:
    with pytest.raises(PermanentError):
        reader.get("Deployment", namespace, name)


def test_a_name_with_slashes_stays_one_name(reader: KubeReader, cluster: FakeCluster) -> None:
    with pytest.raises(Blind):
        reader.get("Deployment", "shop", "web/scale?x=1")
    assert "scale" in cluster.requests[-1].path
    assert cluster.requests[-1].query == {}


def test_an_unknown_kind_is_named_with_those_that_are_known(reader: KubeReader) -> None:
    with pytest.raises(PermanentError, match="'Widget' is no kind that opsbot can reach: Pod, "):
        reader.get("Widget", "shop", "web")


# lists --------------------------------------------------------------------------------------------------------------


def test_a_list_fills_in_what_items_leave_out(reader: KubeReader) -> None:
    found = reader.list("Pod", "shop", labels="app=web")
    assert len(found.items) == 2
    assert not found.truncated
    assert {(item["apiVersion"], item["kind"]) for item in found.items} == {("v1", "Pod")}


def test_selectors_are_passed_on(reader: KubeReader) -> None:
    assert reader.list("Pod", "shop", labels="app=other") == Listing((), False)
    assert len(reader.list("Pod", fields="status.phase=Running").items) == 2
    with pytest.raises(Blind, match="field label not supported"):
        reader.list("Pod", "shop", fields="spec.what=1")


@pytest.mark.parametrize(
    ("there", "limit", "got", "truncated", "pages"),
    [(250, 500, 250, False, 1), (251, 500, 251, False, 2), (600, 500, 500, True, 2), (10, 3, 3, True, 1),
     (3, 3, 3, False, 1)],
    ids=["one page", "two pages", "more than asked for", "a small limit", "exactly"],
)  # fmt: skip
def test_pages(there: int, limit: int, got: int, truncated: bool, pages: int) -> None:
    cluster = FakeCluster()
    for number in range(there):
        cluster.add({"kind": "ConfigMap", "metadata": {"name": f"c-{number:04}", "namespace": "shop"}})
    found = KubeReader(cluster.connect("reader")).list("ConfigMap", "shop", limit=limit)
    assert (len(found.items), found.truncated, len(cluster.requests)) == (got, truncated, pages)
    assert len({item["metadata"]["name"] for item in found.items}) == got


def test_one_odd_object_blinds_nobody(reader: KubeReader, cluster: FakeCluster) -> None:
    cluster.add({"kind": "Pod", "metadata": {"name": "odd", "namespace": "shop"}, "spec": {"containers": "not a list"},
                 "status": {"startTime": 5, "containerStatuses": {"x": 1}}}, odd=True)  # fmt: skip
    cluster.run(2)
    found = reader.list("Pod", "shop")
    assert [item["metadata"]["name"] for item in found.items if item["spec"]["containers"] == "not a list"] == ["odd"]
    assert len(found.items) == 3


def test_what_is_no_object_at_all_is_left_out_and_marked(reader: KubeReader, cluster: FakeCluster) -> None:
    items: list[Any] = [{"metadata": {"name": "a"}}, None, "text", {"metadata": []}, {"metadata": {"name": 5}}, {}]
    cluster.fail_next(faults.body(json.dumps({"kind": "PodList", "metadata": {}, "items": items}).encode()))
    found = reader.list("Pod", "shop")
    assert [item["metadata"]["name"] for item in found.items] == ["a"]
    assert found.truncated


@pytest.mark.parametrize(
    "body",
    [b'{"kind":"PodList","items":5}', b'{"kind":"Pod"}', b'{"kind":"PodList","items":[],"metadata":7}',
     b'{"kind":"PodList","items":[],"metadata":{"continue":7}}'],
    ids=["items", "no list", "metadata", "continue"],
)  # fmt: skip
def test_what_is_no_list_is_blind(reader: KubeReader, cluster: FakeCluster, body: bytes) -> None:
    cluster.fail_next(faults.body(body))
    with pytest.raises(Blind, match="the answer is no list"):
        reader.list("Pod", "shop")


def test_null_items_are_an_empty_list(reader: KubeReader, cluster: FakeCluster) -> None:
    cluster.fail_next(faults.body(b'{"kind":"PodList","metadata":{},"items":null}'))
    assert reader.list("Pod", "shop") == Listing((), False)


def test_a_second_page_that_fails_blinds_the_whole_list() -> None:
    cluster = FakeCluster()
    for number in range(300):
        cluster.add({"kind": "ConfigMap", "metadata": {"name": f"c-{number}", "namespace": "shop"}})
    cluster.fail_next(faults.error(410, "the provided continue parameter is too old"), query={"limit": "150"})
    with pytest.raises(Blind, match="410"):
        KubeReader(cluster.connect("reader")).list("ConfigMap", "shop", limit=400)


# refusals, faults and the second try --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "requests", "said"),
    [
        (faults.error(401), 1, "the credential is not accepted"), (faults.error(403), 1, "the read account lacks"),
        (faults.error(500), 2, "500"), (faults.error(503), 2, "503"), (faults.error(429, retry_after=1), 1, "429"),
        (faults.body(b"", code=302), 1, "302"), (faults.hang(), 2, "no answer in time"),
        (faults.lost_answer(), 2, "the connection broke off"), (faults.refused(), 2, "no connection"),
        (faults.body(b"upstream error", code=502, content_type="text/plain"), 2, "502: no Status object"),
    ],
    ids=["401", "403", "500", "503", "429 beyond the time", "redirect", "hangs", "lost", "refused", "proxy"],
)  # fmt: skip
def test_what_goes_wrong_is_blind_after_at_most_two_tries(
    reader: KubeReader, cluster: FakeCluster, fault: faults.Fault, requests: int, said: str
) -> None:
    cluster.fail_next(fault, times=5)
    before = len(cluster.requests)
    with pytest.raises(Blind, match=said):
        reader.get("Deployment", "shop", "web", timeout=0.5)
    assert len(cluster.requests) - before == requests


@pytest.mark.parametrize(
    "fault", [faults.error(500), faults.lost_answer(), faults.refused(), faults.hang()],
    ids=["500", "lost", "refused", "hangs"],
)  # fmt: skip
def test_a_fault_that_passes_is_not_noticed(reader: KubeReader, cluster: FakeCluster, fault: faults.Fault) -> None:
    cluster.fail_next(fault)
    assert reader.get("Deployment", "shop", "web") is not None


def test_no_right_to_read_is_blind_and_never_nothing(cluster: FakeCluster) -> None:
    cluster.account("stranger", [Rule(("get",), ("pods",))])
    stranger = KubeReader(cluster.connect("stranger"))
    for read in (lambda: stranger.get("Deployment", "shop", "web"), lambda: stranger.list("Deployment", "shop")):
        with pytest.raises(Blind, match="403"):
            read()


# logs ---------------------------------------------------------------------------------------------------------------


def test_a_log_with_the_servers_times(reader: KubeReader, cluster: FakeCluster) -> None:
    cluster.set_logs("shop", "web-*", "hello\nworld\n")
    stamp = cluster.clock().strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    want = f"{stamp} hello\n{stamp} world\n".encode()
    assert reader.logs("shop", pod_name(cluster), "main") == Log(want, False)


def test_bad_bytes_in_a_log_come_through(reader: KubeReader, cluster: FakeCluster) -> None:
    cluster.set_logs("shop", "web-*", b"\xff\xfe\x00 broken\r\n\x1b[31mred\n")
    found = reader.logs("shop", pod_name(cluster), "main")
    assert found is not None
    assert b"\xff\xfe\x00 broken\r\n" in found.content
    assert b"\x1b[31mred\n" in found.content


@pytest.mark.parametrize(
    ("lines", "limit"), [(10_000, 4_096), (50, 2_048), (3, 64)], ids=["many", "fifty", "a small limit"]
)
def test_the_newest_lines_are_kept(reader: KubeReader, cluster: FakeCluster, lines: int, limit: int) -> None:
    cluster.set_logs("shop", "web-*", "".join(f"line {number:06} {'x' * 40}\n" for number in range(lines)))
    found = reader.logs("shop", pod_name(cluster), "main", limit_bytes=limit)
    assert found is not None
    assert found.truncated
    assert len(found.content) <= limit
    assert found.content.endswith(f"line {lines - 1:06} {'x' * 40}\n".encode()[-limit:])


def test_lines_far_longer_than_expected_still_end_with_the_newest(reader: KubeReader, cluster: FakeCluster) -> None:
    cluster.set_logs("shop", "web-*", "".join(f"{number:03} {'y' * 3_000}\n" for number in range(200)) + "the last\n")
    found = reader.logs("shop", pod_name(cluster), "main", limit_bytes=8_192)
    assert found is not None
    assert found.truncated
    assert found.content.endswith(b"the last\n")
    assert len(found.content) <= 8_192


def test_since_is_passed_on(reader: KubeReader, cluster: FakeCluster) -> None:
    at = cluster.clock()
    cluster.set_logs("shop", "web-*", [(at - timedelta(hours=1), "old"), (at - timedelta(minutes=1), "new")])
    found = reader.logs("shop", pod_name(cluster), "main", since=at - timedelta(minutes=5))
    assert found is not None
    assert found.content.endswith(b" new\n")
    assert b"old" not in found.content


def test_no_previous_log_no_pod_and_no_start_are_none(reader: KubeReader, cluster: FakeCluster) -> None:
    name = pod_name(cluster)
    assert reader.logs("shop", name, "main", previous=True) is None
    assert reader.logs("shop", "nobody", "main") is None
    cluster.change("Pod", "shop", name, {"status": {"containerStatuses": [
        {"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}, "lastState": {}}]}})  # fmt: skip
    assert reader.logs("shop", name, "main") is None


def test_the_log_of_the_run_before(reader: KubeReader, cluster: FakeCluster) -> None:
    cluster.set_logs("shop", "web-*", "panic: out of luck\n", previous=True)
    found = reader.logs("shop", pod_name(cluster), "main", previous=True)
    assert found is not None
    assert found.content.endswith(b"panic: out of luck\n")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faults.error(400, "container other is not valid for pod web"), "not valid"),
        (faults.body(b"unable to retrieve container logs for containerd://1234", content_type="text/plain"),
         "no longer has it"),
        (faults.error(500, "dial tcp 10.0.0.1:10250: connect: no route to host"), "no route to host"),
    ],
    ids=["container", "rotated away", "node down"],
)  # fmt: skip
def test_a_log_that_cannot_be_had_is_blind(
    reader: KubeReader, cluster: FakeCluster, fault: faults.Fault, said: str
) -> None:
    cluster.fail_next(fault, times=2)
    with pytest.raises(Blind, match=said):
        reader.logs("shop", pod_name(cluster), "main")


# rights and version -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "kind", "subresource", "want"),
    [("list", "Pod", "", True), ("get", "Pod", "log", True), ("patch", "Deployment", "", False),
     ("get", "Secret", "", False)],
    ids=["list", "log", "patch", "secret"],
)  # fmt: skip
def test_what_one_may(reader: KubeReader, verb: str, kind: str, subresource: str, want: bool) -> None:
    assert reader.may(verb, kind, "shop", subresource) is want


def test_an_answer_that_is_neither_yes_nor_no_is_blind(reader: KubeReader, cluster: FakeCluster) -> None:
    for body in (b'{"status":{"allowed":"yes"}}', b'{"status":{}}', b"{}", b'{"status":[]}'):
        cluster.fail_next(faults.body(body, code=201))
        with pytest.raises(Blind, match="neither yes nor no"):
            reader.may("list", "Pod")


def test_the_version_and_a_sentence_for_the_doctor(reader: KubeReader, cluster: FakeCluster) -> None:
    assert reader.version() == "v1.36.3"
    assert reader.check() == "Kubernetes v1.36.3 at http://fake-cluster.invalid answers and knows this account"
    cluster.fail_next(faults.body(b'{"gitVersion":["v1"]}'))
    with pytest.raises(Blind, match="version"):
        reader.version()


def test_the_doctor_hears_of_a_credential_that_is_not_accepted(cluster: FakeCluster) -> None:
    reader = KubeReader(cluster.connect("reader"))
    cluster.account("reader", (), token="another")
    with pytest.raises(Blind, match="the credential is not accepted"):
        reader.check()


def test_no_read_writes(reader: KubeReader, cluster: FakeCluster) -> None:
    reader.get("Deployment", "shop", "web")
    reader.list("Pod")
    reader.may("list", "Pod")
    reader.logs("shop", pod_name(cluster), "main")
    assert cluster.writes == []
