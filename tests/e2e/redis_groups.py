"""Several real servers that belong together: a master with its replica and the sentinels that watch
them, and a Redis Cluster. Of Redis or of Valkey.

Not here: a single server (redis_server.py), and tests."""
import contextlib
import os
import shutil
import subprocess
import tempfile
import time

from redis_server import RedisServer, START_SECONDS, ask, free_port

N_SLOTS = 16384


def wait_until(is_so, what):
    end = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"never: {what}")
        time.sleep(0.02)


class Sentinel:
    """Watches a master by the name "mymaster"."""

    def __init__(self, master_port, program, quorum):
        self.folder = tempfile.mkdtemp(prefix="sentinel-")
        self.port = free_port()
        config = os.path.join(self.folder, "sentinel.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
                       f"sentinel monitor mymaster 127.0.0.1 {master_port} {quorum}\n"
                       "sentinel down-after-milliseconds mymaster 700\n"
                       "sentinel failover-timeout mymaster 3000\n")
        self.process = subprocess.Popen([program, config, "--sentinel"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: ask(self.port, "PING") == b"PONG", "a sentinel")
        # Tells the sentinels of each other and of the replica, so that the test need not wait until
        # they find out.
        self.debug("INFO-PERIOD", 200, "PING-PERIOD", 100, "PUBLISH-PERIOD", 100)

    def debug(self, *words):
        ask(self.port, "SENTINEL", "DEBUG", *words)

    def is_ready(self):
        return b"slaves=1,sentinels=3" in (ask(self.port, "INFO", "sentinel") or b"")

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class SentinelGroup:
    """A master, its replica, and three sentinels."""

    def __init__(self, program):
        with contextlib.ExitStack() as stack:
            self.servers = [RedisServer(program=program)]
            stack.callback(self.servers[0].stop)
            self.servers.append(RedisServer(self.servers[0], program))
            stack.callback(self.servers[1].stop)
            self.sentinels = []
            # Several candidates at once would share the votes, and wait before they try again.
            for quorum in (2, 4, 4):
                self.sentinels.append(Sentinel(self.servers[0].port, program, quorum))
                stack.callback(self.sentinels[-1].stop)
            wait_until(lambda: all(sentinel.is_ready() for sentinel in self.sentinels), "sentinels that know all")
            # A sentinel waits some of these periods before it reverts a failover that it has not
            # heard of.
            for sentinel in self.sentinels:
                sentinel.debug("PUBLISH-PERIOD", 1000)
            self._stack = stack.pop_all()

    @property
    def uri(self):
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/mymaster"

    def fail_over(self):
        """A manual failover, while both servers are up; returns false if the sentinel refuses it for
        now."""
        return ask(self.sentinels[0].port, "SENTINEL", "FAILOVER", "mymaster") == b"OK"

    def stop(self):
        self._stack.close()


class ClusterGroup:
    """Three masters, and a replica of the first one, which serves the backends' keys."""

    def __init__(self, program):
        with contextlib.ExitStack() as stack:
            self.servers = []
            self.bus_ports = [free_port() for _ in range(4)]
            for port in self.bus_ports:
                self.servers.append(RedisServer(program=program, options=(
                    "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", str(port))))
                stack.callback(self.servers[-1].stop)
            self.ids = [server.ask("CLUSTER", "MYID") for server in self.servers]
            self.ids = [name.decode() for name in self.ids]
            self.slot = self.servers[0].ask("CLUSTER", "KEYSLOT", "{wsmanager}")
            self._form()
            self._stack = stack.pop_all()

    def _form(self):
        first, *others = self.servers
        third = N_SLOTS // 3 + 1
        for i, server in enumerate(self.servers[:3]):
            begin = (self.slot // third + i) % 3 * third
            server.ask("CLUSTER", "ADDSLOTSRANGE", begin, min(begin + third, N_SLOTS) - 1)
        for server, bus_port in zip(others, self.bus_ports[1:]):
            first.ask("CLUSTER", "MEET", "127.0.0.1", server.port, bus_port)
        wait_until(lambda: all(b"cluster_known_nodes:4" in server.ask("CLUSTER", "INFO") for server in self.servers),
                   "nodes that know each other")
        self.wait_until_well()
        self.servers[3].ask("CLUSTER", "REPLICATE", self.ids[0])
        wait_until(lambda: b"master_link_status:up" in self.servers[3].ask("INFO", "replication"), "a replica")
        wait_until(lambda: all(f" slave {self.ids[0]} ".encode() in server.ask("CLUSTER", "NODES")
                               for server in self.servers[:3]), "nodes that know the replica")

    @property
    def uri(self):
        """The replica is not among them."""
        return f"redis://127.0.0.1:{self.servers[1].port},127.0.0.1:{self.servers[2].port}"

    def wait_until_well(self):
        wait_until(lambda: all(b"cluster_state:ok" in (server.ask("CLUSTER", "INFO") or b"")
                               for server in self.servers if server.process.poll() is None), "a cluster that is well")

    def move_slot(self, source, target, pause):
        """Moves the slot from one master to another; `pause` is called between two steps."""
        self.servers[target].ask("CLUSTER", "SETSLOT", self.slot, "IMPORTING", self.ids[source])
        self.servers[source].ask("CLUSTER", "SETSLOT", self.slot, "MIGRATING", self.ids[target])
        pause()
        while keys := self.servers[source].ask("CLUSTER", "GETKEYSINSLOT", self.slot, 2):
            self.servers[source].ask("MIGRATE", "127.0.0.1", self.servers[target].port, "", 0, 5000, "KEYS",
                                     *(key.decode() for key in keys))
            pause()
        for i in (target, source, *(i for i in range(3) if i not in (source, target))):
            self.servers[i].ask("CLUSTER", "SETSLOT", self.slot, "NODE", self.ids[target])

    def stop(self):
        self._stack.close()
