"""Annotations that speak to opsbot: what they say, what is refused, and that what is written is read back."""

from __future__ import annotations

import pytest

from opsbot.core.alert import TargetSpec
from opsbot.monitor.rules import extras


def test_extras_are_taken_out() -> None:
    given = {"opsbot_actions": "scale_up, restart", "opsbot_target": "deploy/shop/{{ $labels.app }}", "summary": "s"}
    found = extras.read(given)
    assert found.actions == ("scale_up", "restart")
    assert found.target == TargetSpec("Deployment", "{{ labels.app }}", "shop")
    assert (found.left, found.problems) == ({"summary": "s"}, ())
    assert found.given == {name: given[name] for name in ("opsbot_actions", "opsbot_target")}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Node/{{ $labels.node }}", TargetSpec("Node", "{{ labels.node }}")),
        ("Pod/{{.Labels.namespace}}/{{- $labels.pod -}}", TargetSpec("Pod", "{{ labels.pod }}",
        "{{ labels.namespace }}")),
        ("{{ $labels.kind }}/a/b", TargetSpec("{{ labels.kind }}", "b", "a")),
        ("StatefulSet/shop/db-{{ $labels.shard }}", TargetSpec("StatefulSet", "db-{{ labels.shard }}", "shop")),
    ],
    ids=["of no namespace", "spellings", "kind of a label", "part of a name"],
)  # fmt: skip
def test_targets(text: str, want: TargetSpec) -> None:
    assert extras.target(text) == want


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no KIND/NAMESPACE/NAME"), ("Deployment", "no KIND"), ("a/b/c/d", "no KIND"), ("Foo/a/b",
        "'Foo' is no kind"),
        ("Deployment/b", "lacks a namespace"), ("Pod/{{ $value }}/x", "lacks a namespace"),
        ("Pod/x/{{ printf `a` }}", "only {{ \\$labels.NAME }}"), ("Deployment/a/b c", "only"),
    ],
)  # fmt: skip
def test_what_is_no_target(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        extras.target(text)


def test_problems_name_the_annotation() -> None:
    found = extras.read({"opsbot_actions": "a, b, a", "opsbot_target": "x"})
    assert [(key, message.partition(":")[0]) for key, message, _ in found.problems] == [
        ("opsbot_actions", "opsbot_actions"), ("opsbot_target", "opsbot_target"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "spec",
    [TargetSpec("Deployment", "{{ labels.a }}", "shop"), TargetSpec("Node", "n-{{ labels.n }}"), None],
    ids=["spaced", "not spaced", "none"],
)
def test_what_is_written_is_read_back(spec: TargetSpec | None) -> None:
    found = extras.read(extras.written(("x", "y"), spec))
    assert (found.actions, found.target, found.problems) == (("x", "y"), spec, ())
