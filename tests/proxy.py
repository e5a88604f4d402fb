"""A bad network for the tests: a proxy that counts, delays, halves, swallows, stalls and cuts."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator

_PIECE = 64 * 1024
_NEVER = float("inf")


class Proxy:
    """Passes connections on to a server. What it does to them can be changed at any time."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        """Take the server's port."""
        self._target = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.passed = 0
        """Bytes that the server's answers had so far."""

        self.connections = 0
        """How many there were so far."""

        self.refused = 0
        """How many were closed at once, because `refuses` said so."""

        self.delay = 0.0
        """Seconds by which each piece is late."""

        self.halves = False
        """Whether each piece of an answer comes in two, the second a little later."""

        self.swallows: re.Pattern[bytes] | None = None
        """Pieces of answers that match get lost, as messages do, without an error."""

        self.refuses = False
        """Whether new connections are closed at once."""

        self._cut_at: float = _NEVER
        self._counting = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._sockets: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """The address of the server through the proxy, as redis-py takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """Cut all connections that there are."""
        for end in tuple(self._sockets):
            _close(end)

    def cut_after(self, size: int) -> None:
        """Cut the connection that passes the *size*-th byte from now on, right after it."""
        self._cut_at = self.passed + size

    @contextlib.contextmanager
    def stalled(self) -> Iterator[None]:
        """Let nothing pass for the length of a with block, and keep the connections open."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Be a server that is gone for the length of a with block."""
        self.refuses = True
        self.cut()
        try:
            yield
        finally:
            self.refuses = False

    def lead_to(self, port: int) -> None:
        """Lead to another server from now on, as an address does after a fail-over."""
        self._target = self._target[0], port
        self.cut()

    def close(self) -> None:
        """End."""
        self._open.set()
        _close(self._listener)
        self._threads[0].join()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                ours, _ = self._listener.accept()
                self._connect(ours)

    def _connect(self, ours: socket.socket) -> None:
        try:
            if self.refuses:
                self.refused += 1
                raise ConnectionRefusedError
            theirs = socket.create_connection(self._target)
        except OSError:
            ours.close()
            return
        self.connections += 1
        self._sockets |= {ours, theirs}
        for end in (ours, theirs):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target, answers in ((ours, theirs, False), (theirs, ours, True)):
            thread = threading.Thread(
                target=self._pump, args=(source, target), kwargs={"answers": answers}
            )
            self._threads.append(thread)
            thread.start()

    def _pump(self, source: socket.socket, target: socket.socket, *, answers: bool) -> None:
        with contextlib.suppress(OSError):  # cut, from whatever side
            while piece := source.recv(_PIECE):
                self._open.wait()
                time.sleep(self.delay)
                if answers:
                    self._answer(target, piece)
                else:
                    target.sendall(piece)
        for end in (source, target):
            _close(end)
            self._sockets.discard(end)

    def _answer(self, target: socket.socket, piece: bytes) -> None:
        if self.swallows is not None and self.swallows.fullmatch(piece):
            return
        with self._counting:
            is_cut = self.passed + len(piece) >= self._cut_at
            if is_cut:
                piece, self._cut_at = piece[: int(self._cut_at - self.passed)], _NEVER
            self.passed += len(piece)
        half = len(piece) // 2 if self.halves else len(piece)
        target.sendall(piece[:half])
        if half < len(piece):
            time.sleep(0.001)  # long enough to arrive on its own
            target.sendall(piece[half:])
        if is_cut:
            raise ConnectionAbortedError


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it
    end.close()


@contextlib.contextmanager
def between(port: int) -> Iterator[Proxy]:
    """Run a proxy before the server at *port* for the length of a with block."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
