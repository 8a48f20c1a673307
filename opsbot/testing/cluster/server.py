"""The face for programs: every answer with its length, its loss acted out. It listens on 127.0.0.1 and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opsbot.testing.cluster.wire import Ending, Failure, Request, Response, status
from opsbot.testing.loopback import Face, Server, standing


class WireFace(Face):
    """Sends a `Response` as its ending says."""

    def send(self, made: Response) -> None:
        """Whole, or not at all."""
        if made.ending is not Ending.WHOLE:
            return self.lose(hangs=made.ending is Ending.HANGS)
        self.head(
            made.status, {"Content-Type": made.content_type, "Content-Length": str(len(made.body)), **made.headers}
        )
        self.wfile.write(made.body)
        return None


class _Face(WireFace):
    longest = 3_145_728  # the API server's own limit on a request

    def _serve(self) -> None:
        body = self.body()
        if body is None:
            return self.send(status(Failure(413, "the request is too large, or of a length that is not stated")))
        return self.send(self.server.behind(self.asked(body)))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of http.server


@contextmanager
def serve(
    handle: Callable[[Request], Response], *, port: int = 0, tick: Callable[[], None] | None = None,
    tick_every: float | None = None,
) -> Iterator[str]:  # fmt: skip
    """Serve `handle` (and call `tick` every so many seconds) while the context lasts; its value is the URL."""
    with standing(Server(port, _Face, handle), tick, tick_every) as url:
        yield url
