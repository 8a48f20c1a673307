"""What `doctor` says of the server for webhooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsbot.config import Web
from opsbot.core.errors import PermanentError
from opsbot.store import SqlStore
from opsbot.web.probe import check
from tests.web.web_world import Served

GONE = "127.0.0.1:1"


def test_a_running_bot_is_good(store: SqlStore) -> None:
    with Served(store) as served:
        where = f"127.0.0.1:{served.port}"
        assert check(Web(where), 5) == ("good", f"webhooks are taken at {where}")


def test_one_that_is_not_ready_says_why(store: SqlStore) -> None:
    with Served(store, reasons=["the workers do not run"]) as served:
        where = f"127.0.0.1:{served.port}"
        assert check(Web(where), 5) == ("bad", f"{where} is not ready: the workers do not run")


def test_where_nothing_listens_is_a_warning() -> None:
    assert check(Web(GONE), 5) == (
        "warn", f"nothing answers at {GONE}: `opsbot serve` does not run on this machine",
    )  # fmt: skip


def test_a_token_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"web\.token_file: .* cannot be read"):
        check(Web(GONE, tmp_path / "gone"), 5)
