"""Starts process_host.c, which is one of several processes of an application, and tells it what to do.

Not here: tests."""
import asyncio
import collections
import os

PROCESS_HOST = os.environ["PROCESS_HOST"]
START_SECONDS = 60
SECONDS = 60


class ProcessHost:
    """Raises a ConnectionError for what a killed process can no longer do."""

    def __init__(self):
        self.heard = []  # messages of other processes, as they were sent
        self.n_gaps = 0
        self.asked = collections.Counter()  # requests to clients, by number
        self.ended = collections.defaultdict(list)  # their results
        self.is_killed = False
        self._results = collections.deque()
        self._changed = asyncio.Condition()

    @classmethod
    async def start(cls, case, uri, folder):
        host = cls()
        host.process = await asyncio.create_subprocess_exec(
            PROCESS_HOST, uri, folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        line = (await asyncio.wait_for(host.process.stdout.readline(), START_SECONDS)).decode()
        if not line.startswith("listening on http://"):
            raise RuntimeError(f"the process did not start: {line!r}")
        host.port = int(line.rpartition(":")[2])
        host.url = f"ws://127.0.0.1:{host.port}"
        host._reader = asyncio.create_task(host._read())
        case.addAsyncCleanup(host.stop)
        return host

    async def _read(self):
        while line := (await self.process.stdout.readline()).decode():
            async with self._changed:
                self._take(*line.rstrip("\n").split(" ", 2))
                self._changed.notify_all()
        for result in self._results:
            if not result.done():
                result.set_exception(ConnectionError("the process has ended"))

    def _take(self, kind, *words):
        if kind == "result":
            result = self._results.popleft()
            if not result.done():
                result.set_result(int(words[0]))
        elif kind == "heard":
            self.heard.append(words[0])
        elif kind == "gap":
            self.n_gaps += 1
        elif kind == "asked":
            self.asked[words[0]] += 1
        elif kind == "ended":
            self.ended[words[0]].append(int(words[1]))
        else:
            raise ValueError((kind, *words))

    async def do(self, *words):
        """Returns the result of the library's function: 0 is success."""
        if self.is_killed:
            raise ConnectionError("the process was killed")
        result = asyncio.get_running_loop().create_future()
        self._results.append(result)
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        return await asyncio.wait_for(result, SECONDS)

    async def until(self, is_so):
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: is_so(self)), SECONDS)

    async def kill(self):
        self.is_killed = True
        self.process.kill()
        await self.process.wait()
        await self._reader

    async def stop(self):
        """Ends the process, which must not have failed."""
        if self.is_killed:
            return
        self.process.stdin.close()
        status = await asyncio.wait_for(self.process.wait(), SECONDS)
        await self._reader
        if status != 0:
            raise RuntimeError(f"the process ended with status {status}")
