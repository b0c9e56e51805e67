"""A gateway between a client and a server, which forwards bytes, resets connections or answers nothing."""

import contextlib
import random
import selectors
import socket
import struct
import threading
from collections.abc import Iterator

_RESET = struct.pack("ii", 1, 0)


class Gateway:
    """A forwarded TCP port whose faults can be switched while it runs.

    Args:
        target: Port on loopback that it forwards to.

    Attributes:
        mode: `open`; `away` resets every connection; `silent` takes bytes and answers nothing; `flaky` resets a
            share `risk` of the connections after some bytes.
        faults: Connections that were reset or not answered.
    """

    def __init__(self, target: int, *, seed: int = 1) -> None:
        self.mode, self.risk, self.faults = "open", 0.2, 0
        self._target, self._draw = target, random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._live: set[socket.socket] = set()
        self._end = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def turn(self, mode: str) -> None:
        """Change the mode; connections of before are reset unless it is `open`."""
        self.mode = mode
        for end in list(self._live) if mode != "open" else ():
            _reset(end)

    def close(self) -> None:
        """Stop."""
        self._end.set()
        self.turn("away")
        self._listener.close()

    def _accept(self) -> None:
        while not self._end.is_set():
            try:
                end = self._listener.accept()[0]
            except OSError:
                return
            if self.mode == "away":
                self.faults += 1
                _reset(end)
            else:
                threading.Thread(target=self._forward, args=(end,), daemon=True).start()

    def _forward(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as far:
            self._live.add(near)
            left = self._draw.randrange(4000) if self.mode == "flaky" and self._draw.random() < self.risk else None
            with selectors.DefaultSelector() as ready:
                ready.register(near, selectors.EVENT_READ, far)
                ready.register(far, selectors.EVENT_READ, near)
                while not self._end.is_set():
                    for key, _ in ready.select(0.5):
                        source, other = key.fileobj, key.data
                        assert isinstance(source, socket.socket)
                        data = source.recv(65536)
                        if self.mode == "silent":
                            self.faults += 1
                            self._end.wait()
                            return
                        if not data:
                            raise OSError
                        if left is not None and (left := left - len(data)) < 0:
                            self.faults += 1
                            _reset(near)
                            raise OSError
                        other.sendall(data)
        self._live.discard(near)
        with contextlib.suppress(OSError):
            near.close()


def _reset(end: socket.socket) -> None:
    """Close a connection so that its other side sees a reset."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.close()


@contextlib.contextmanager
def gateway(target: int, *, seed: int = 1) -> Iterator[Gateway]:
    """A gateway that is closed at the end."""
    found = Gateway(target, seed=seed)
    try:
        yield found
    finally:
        found.close()
