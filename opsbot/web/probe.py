"""What `doctor` asks of the server for webhooks: config in, how it stands and a sentence out. Nothing is pushed."""

from __future__ import annotations

import http.client
import json
from contextlib import suppress

from opsbot.config import Web
from opsbot.web.bearer import Bearer

MOST = 10_000


def check(given: Web, patience: float) -> tuple[str, str]:
    """`good`, `warn` or `bad`, and why; PermanentError where the token cannot be read."""
    Bearer(given.token_file)
    host, _, port = given.listen.rpartition(":")
    host = host.strip("[]")
    asked = "127.0.0.1" if host in ("", "0.0.0.0") else "::1" if host == "::" else host  # noqa: S104
    connection = http.client.HTTPConnection(asked, int(port), timeout=patience)
    try:
        connection.request("GET", "/readyz")
        reply = connection.getresponse()
        body = reply.read(MOST)
    except (OSError, http.client.HTTPException):
        return "warn", f"nothing answers at {given.listen}: `opsbot serve` does not run on this machine"
    finally:
        connection.close()
    reasons = []
    with suppress(ValueError, AttributeError, TypeError):
        reasons = [str(reason)[:200] for reason in json.loads(body).get("reasons", ())]
    if reply.status == 200:
        return "good", f"webhooks are taken at {given.listen}"
    return "bad", f"{given.listen} is not ready: {'; '.join(reasons) or f'HTTP {reply.status}'}"
