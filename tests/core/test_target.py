"""Targets as people and files write them."""

import pytest

from opsbot.core.target import KINDS, Target, kind_of, named, parse


@pytest.mark.parametrize(
    ("word", "kind"),
    [("deploy", "Deployment"), ("deployments", "Deployment"), ("DEPLOYMENT", "Deployment"), ("sts", "StatefulSet"),
     ("po", "Pod"), ("pvc", "PersistentVolumeClaim"), ("hpa", "HorizontalPodAutoscaler"), ("nodes", "Node"),
      ("ns", "Namespace")]
    + [(kind, kind) for kind in KINDS],
)  # fmt: skip
def test_kinds_in_every_spelling(word: str, kind: str) -> None:
    assert kind_of(word) == kind


@pytest.mark.parametrize("word", ["", "thing", "deploymentss", "x" * 100])
def test_an_unknown_kind_is_refused_with_the_known_ones(word: str) -> None:
    with pytest.raises(ValueError, match="no kind that opsbot knows: Deployment"):
        kind_of(word)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Deployment/web", Target("shop", "Deployment", "web", "c")),
         ("sts/other/db", Target("other", "StatefulSet", "db", "c")),
        ("node/worker-1.example", Target("", "Node", "worker-1.example", "c")),
         ("ns/shop", Target("", "Namespace", "shop", "c")),
        ("node/ignored/w1", Target("", "Node", "w1", "c")),
    ],
)  # fmt: skip
def test_reading_a_target(text: str, target: Target) -> None:
    assert parse(text, "shop", "c") == target


@pytest.mark.parametrize(
    "text",
    ["", "web", "deploy/", "deploy/a/b/c", "deploy/Web", "deploy/a b", "deploy/../x", "deploy/-a", "deploy/a-",
     "deploy/a\n",
     "deploy/a_b", "deploy/é", "deploy/" + "a" * 254, "deploy/Shop/web", "deploy//web"],
    ids=ascii,
)  # fmt: skip
def test_what_cannot_be_the_name_of_an_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse(text, "shop")


def test_a_namespaced_kind_needs_a_namespace() -> None:
    with pytest.raises(ValueError, match="no namespace"):
        named("Deployment", "", "web")


def test_the_key_is_the_name_and_not_the_uid() -> None:
    target = Target("shop", "Deployment", "web", "c")
    assert target.key == target.named("u-1").key == "c/shop/Deployment/web"
    assert target.named("u-1").uid == "u-1"
    assert target.key != Target("shop", "StatefulSet", "web", "c").key


def test_how_a_target_reads() -> None:
    assert str(Target("shop", "Deployment", "web")) == "Deployment/web -n shop"
    assert str(Target("", "Node", "w1")) == "Node/w1"


@pytest.mark.parametrize(
    ("cluster", "place"),
    [("", "Pod/x -n a"), ("prod", "Pod/x -n a in cluster prod"), ("a\n" * 90, f"Pod/x -n a in cluster {'a ' * 50}")],
    ids=["of no name", "named", "long, in lines"],
)
def test_a_place_names_the_cluster(cluster: str, place: str) -> None:
    assert Target("a", "Pod", "x", cluster).place == place
