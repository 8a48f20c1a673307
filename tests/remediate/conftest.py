"""A world with a deployment of four replicas in it, settled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.remediate.remediation_world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.deploy()
    yield made
    assert made.store.verify() == ()
    made.store.close()
