"""Measures one row once: starts a server, runs the load, and notes what else used the processors.

Not here: the list of rows (scenarios.py) and the output of the figures (table.py)."""
import os
import resource
import signal
import socket
import subprocess
import sys
import time

START_SECONDS = 20
STOP_SECONDS = 5
LOAD_SECONDS = 240  # in addition to the measured time, for opening, settling and draining
DISTURBED_PERCENT = 25  # of one processor; interrupts alone take 10 to 15
STOLEN_PERCENT = 3
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A row could not be measured; the text gives the reason."""


def end_orderly_when_terminated():
    """Makes SIGTERM raise SystemExit, so that it also ends the running server and load."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def prepare(processor):
    """Returns what a child process runs before it executes a server or the load."""

    def in_child():
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if processor is not None:
            os.sched_setaffinity(0, {processor})

    return in_child


def processors(pinned):
    """The processor of the server and that of the load; None: any."""
    available = sorted(os.sched_getaffinity(0))
    return available[:2] if pinned and len(available) > 1 else (None, None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """A running server, as a context manager."""

    def __init__(self, command, processor):
        self.port = free_port()
        words = [str(word).format(port=self.port) for word in command]
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=prepare(processor),
        )

    def __enter__(self):
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_it_listens(self):
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
                continue
            time.sleep(0.1)  # lets the server release that connection
            return
        raise Failed("the server did not start")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)  # a clean shutdown is not needed
        self.process.wait(STOP_SECONDS)

    def cpu_seconds(self):
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            return 0
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def machine_seconds():
    """The processor time that was used and that was stolen since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (
        (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
        steal / TICKS_PER_SECOND,
    )


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def parse_figures(text):
    """Parses lines NAME VALUE UNIT into a dictionary of values and units."""
    figures = {}
    for line in text.splitlines():
        words = line.split(maxsplit=2)
        if len(words) == 3:
            figures[words[0]] = (float(words[1]), words[2])
    return figures


def run_load(arguments, processor):
    load = subprocess.run(
        [str(word) for word in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LOAD_SECONDS,
        preexec_fn=prepare(processor),
        check=False,
    )
    if load.returncode != 0:
        raise Failed("; ".join(load.stderr.strip().splitlines()) or f"status {load.returncode}")
    return parse_figures(load.stdout)


def measure_once(load, server, scenario, seconds, rate):
    """The figures of one row as values, and how disturbed the row was: 1 or more is too much."""
    server_processor, load_processor = processors(scenario.pinned)
    with ServerProcess(server.commands[scenario.kind], server_processor) as running:
        arguments = [
            load, "--port", running.port, "--server-pid", running.process.pid,
            "--seconds", seconds, *scenario.load,
            *server.load_arguments(scenario.kind, scenario.body),
            *(["--rate", rate] if rate else []),
        ]  # fmt: skip
        start = time.monotonic()
        used, stolen = machine_seconds()
        own = running.cpu_seconds() + children_seconds() + time.process_time()
        try:
            figures = run_load(arguments, load_processor)
        except subprocess.TimeoutExpired as error:
            raise Failed("the load did not end") from error
        own = running.cpu_seconds() + children_seconds() + time.process_time() - own
        duration = time.monotonic() - start
        used, stolen = (after - before for after, before in zip(machine_seconds(), (used, stolen)))
    values = {name: value for name, (value, _) in figures.items()}
    values["other"] = max(0, 100 * (used - own) / duration)
    values["stolen"] = 100 * stolen / duration
    disturbance = max(values["other"] / DISTURBED_PERCENT, values["stolen"] / STOLEN_PERCENT)
    return values, disturbance


def measure(load, server, scenario, seconds, rate, tries):
    """The figures of the least disturbed of several tries. Stops after a try that is not disturbed."""
    best = None
    for _ in range(tries):
        values, disturbance = measure_once(load, server, scenario, seconds, rate)
        if best is None or disturbance < best[1]:
            best = values, disturbance
        if disturbance < 1:
            break
    return best[0]
