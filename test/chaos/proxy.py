"""A TCP proxy that can be told to misbehave: cut its connections, hold everything back, or let it through late."""
import selectors
import socket
import threading
import time
from collections import deque

PIECE = 64 << 10


class Proxy:
    """Forwards connections to `target` (host, port) from a port of its own. One thread."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.stalled_until = self.delay = self.delayed_until = 0.0
        self.cut_wanted = self.ended = False
        self.cut_count = self.held_back = self.stalled_count = 0  # connections that were cut; pieces that came late; turns without any
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.peers, self.waiting = {}, {}  # socket -> the other side; socket -> pieces for it, with the time when they may go
        self.ending = set()  # sockets whose other end has ended, while pieces from it are on their way
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # ---- misbehaving ---------------------------------------------------------------------------------------------------
    def cut(self):
        with self.lock:
            self.cut_wanted = True

    def stall(self, seconds):
        with self.lock:
            self.stalled_until = time.monotonic() + seconds

    def slow(self, seconds, delay):
        with self.lock:
            self.delayed_until, self.delay = time.monotonic() + seconds, delay

    def heal(self):
        with self.lock:
            self.stalled_until = self.delayed_until = 0.0

    def end(self):
        self.ended = True
        self.thread.join()

    # ---- forwarding ----------------------------------------------------------------------------------------------------
    def run(self):
        while not self.ended:
            now = time.monotonic()
            with self.lock:
                stalled, late = now < self.stalled_until, self.delay if now < self.delayed_until else 0.0
                cut, self.cut_wanted = self.cut_wanted, False
            if cut:
                for side in list(self.peers):
                    if side in self.peers:
                        self.cut_count += 1
                        self.close(side)
            if stalled:
                self.stalled_count += len(self.peers) > 0
                time.sleep(0.02)
                continue
            for key, _ in self.selector.select(0.02):
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj in self.peers:
                    self.read(key.fileobj, now + late)
                    self.held_back += late > 0
            self.write_due()
        for side in list(self.peers):
            self.close(side)
        self.listener.close()

    def accept(self):
        try:
            near, _ = self.listener.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(self.target, timeout=2)
        except OSError:
            near.close()
            return
        for side, other in ((near, far), (far, near)):
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peers[side], self.waiting[side] = other, deque()
            self.selector.register(side, selectors.EVENT_READ)

    def read(self, side, due):
        other = self.peers[side]
        if sum(len(piece) for _, piece in self.waiting[other]) > 16 * PIECE:
            return  # whoever does not take holds up who sends, as without a proxy
        try:
            piece = side.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if piece:
            self.waiting[other].append((due, piece))
        elif self.waiting[other]:
            self.selector.unregister(side)  # who ended has said something before, which goes through
            self.ending.add(side)
        else:
            self.close(side)

    def write_due(self):
        now = time.monotonic()
        for side in list(self.waiting):
            queue = self.waiting.get(side)
            while queue and queue[0][0] <= now:
                due, piece = queue[0]
                try:
                    sent = side.send(piece)
                except BlockingIOError:
                    break
                except OSError:
                    self.close(side)
                    break
                queue.popleft()
                if sent < len(piece):
                    queue.appendleft((due, piece[sent:]))
                    break
            if not queue and self.peers.get(side) in self.ending:
                self.close(side)

    def close(self, side):
        other = self.peers.pop(side, None)
        for one in (side, other):
            if one is None:
                continue
            self.peers.pop(one, None)
            self.waiting.pop(one, None)
            self.ending.discard(one)
            try:
                self.selector.unregister(one)
            except KeyError:
                pass
            one.close()
