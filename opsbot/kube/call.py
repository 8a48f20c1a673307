"""One raw HTTP call through the official client: bytes out, bytes in, under a wall deadline and a byte cap.

Nothing is parsed into the client's models, so that one odd object cannot spoil a list. Nothing is retried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from opsbot.core.errors import PermanentError
from opsbot.kube.deadline import Call, calling
from opsbot.kube.errors import NoAnswer, NotSent, Reply

CONNECT_SECONDS = 5.0
MAX_BYTES = 33_554_432
_CHUNK = 65_536


def ask(
    api: Any, method: str, path: str, *, timeout: float, query: Mapping[str, str] | None = None, body: Any = None,
    content_type: str = "application/json", max_bytes: int = MAX_BYTES,
) -> Reply:  # fmt: skip
    """Send one request and read its whole answer within `timeout` seconds.

    NotSent when no connection came about (the server has seen nothing), NoAnswer when bytes went out and no whole
    answer came back. A body beyond `max_bytes` comes back cut, and is marked so. What is no GET gets a
    connection of its own: one that has idled may be dead without anybody having said so.
    """
    url = f"{path}?{urlencode(query)}" if query else path
    with calling(timeout) as call:
        if method != "GET":
            api.rest_client.pool_manager.clear()
        request = _prepared(api, method, url, body, content_type)
        response = _sent(api, request, call)
        return _read(response, call, max_bytes)


def _prepared(api: Any, method: str, url: str, body: Any, content_type: str) -> Any:
    """The request with its credential; one that cannot be had (a token file that is gone) is NotSent."""
    from kubernetes.config import ConfigException

    headers = {"Accept": "application/json, */*", "Content-Type": content_type}
    try:
        return api.param_serialize(method, url, header_params=headers, body=body, auth_settings=["BearerToken"])
    except (ConfigException, PermanentError, OSError) as error:
        raise NotSent(f"the credential cannot be read: {error}") from error


def _sent(api: Any, request: Any, call: Call) -> Any:
    from kubernetes.client.exceptions import ApiException
    from urllib3 import exceptions

    limits = (min(CONNECT_SECONDS, call.left), call.left)
    try:
        return api.call_api(*request, _request_timeout=limits).response
    except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError) as error:
        raise NotSent(_why(error, call)) from error
    except (exceptions.HTTPError, ApiException, OSError, ValueError) as error:
        kind = NotSent if call.used and not call.sent else NoAnswer
        raise kind(_why(error, call)) from error


def _why(error: BaseException, call: Call) -> str:
    """The cause in words: never the request, whose headers hold the credential."""
    from urllib3 import exceptions

    if isinstance(error, exceptions.NameResolutionError):
        return "the name of the server cannot be resolved"
    if isinstance(error, exceptions.NewConnectionError):  # a kind of ConnectTimeoutError, oddly enough
        return "no connection (refused, or no way there)"
    if call.late or isinstance(error, exceptions.TimeoutError):
        return "no answer in time" if call.sent or not call.used else "no connection in time"
    if isinstance(error, exceptions.ProtocolError | ConnectionError):
        return "the connection broke off before an answer came"
    text = " ".join(str(getattr(error, "reason", "") or error).split())
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "the server's certificate is not trusted (ca_file names who signed it)"
    return f"the connection failed: {text[:200]}"


def _read(response: Any, call: Call, max_bytes: int) -> Reply:
    from urllib3 import exceptions

    parts: list[bytes] = []
    size = 0
    try:
        while chunk := response.read1(_CHUNK):
            parts.append(chunk)
            size += len(chunk)
            if call.late or size > max_bytes:
                break
    except (exceptions.HTTPError, OSError, ValueError) as error:
        response.close()
        raise NoAnswer("the answer broke off" if not call.late else "no whole answer in time") from error
    if size > max_bytes or call.late:
        response.close()
    if call.late and size <= max_bytes:
        raise NoAnswer("no whole answer in time")
    headers = {str(key): str(value) for key, value in response.headers.items()}
    return Reply(response.status, b"".join(parts)[:max_bytes], headers, cut=size > max_bytes)
