"""The face for programs: whole answers and streams, their loss acted out. It listens on 127.0.0.1, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opsbot.testing.cluster.wire import Ending, Failure, Request, Response, chunk, status
from opsbot.testing.loopback import Face, Server, standing


class WireFace(Face):
    """Sends a `Response` as its ending says."""

    def send(self, made: Response) -> None:
        """Whole, bit by bit, or not at all."""
        if made.ending is not Ending.WHOLE:
            return self.lose(hangs=made.ending is Ending.HANGS)
        headers = {"Content-Type": made.content_type, **made.headers}
        if made.stream is not None:
            return self._stream(made.status, headers, made.stream)
        self.head(made.status, {"Content-Length": str(len(made.body)), **headers})
        self.wfile.write(made.body)
        return None

    def _stream(self, status: int, headers: Mapping[str, str], stream: Iterator[bytes]) -> None:
        """In chunks, as they come, until the stream or the server ends."""
        self.head(status, {**headers, "Transfer-Encoding": "chunked"})
        for piece in stream:
            if self.server.over.is_set():
                self.close_connection = True
                return
            if piece:
                self.wfile.write(chunk(piece))
        self.wfile.write(chunk(b""))


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
