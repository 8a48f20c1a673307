"""One plane for all faults of a module, with a reader and a writer who may do what the parts of opsbot state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsbot.app.rights import rights
from opsbot.config import cache_folder
from opsbot.practice.faults.setting import Setter
from opsbot.practice.plane.rbac import rules_of
from opsbot.practice.plane.real import RealPlane, real
from opsbot.practice.processes import keeping
from opsbot.practice.recipes import PLANE, built


@pytest.fixture(scope="module")
def plane() -> Iterator[RealPlane]:
    """Where its programs are not built, these tests are skipped, loudly."""
    if built(PLANE, cache_folder()) is None:
        pytest.skip("NO REAL COMPONENT: `opsbot practice build plane` makes it")
    accounts = {name: rules_of(granted) for name, granted in rights().items()}
    with keeping() as keeper, real(cache_folder(), accounts, keeper, lambda _text: None) as up:
        yield up


@pytest.fixture(scope="module")
def setter(plane: RealPlane) -> Setter:
    return Setter(plane.client(), plane.folder, lambda _text: None)
