"""Debian's nginx and haproxy, each with its own configuration, folder and ports. As a program, which tests in
other languages start: `proxies.py nginx|haproxy PORT [PORT]` starts one in front of the backends at these
ports, prints its own port, and stops it when the input ends.

Not here: tests."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from redis_server import START_SECONDS, free_port

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    {upstream}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://orders;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""

HAPROXY = """
defaults
    mode {mode}
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:{port}
    default_backend orders
{section}
"""

ONE_UPSTREAM = "upstream orders {{ server 127.0.0.1:{backend}; keepalive 4; }}"
ONE_SECTION = """
backend orders
    {rules}
    server one 127.0.0.1:{backend} {server}
"""

GUIDE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../examples/backend/README.md")
GUIDE_SERVERS = ("10.1.0.11:8080", "10.1.0.12:8080")


class Proxy:
    """A proxy process; it has started when it listens."""

    def __init__(self, configuration, command, **values):
        self.folder = tempfile.mkdtemp(prefix="proxy-")
        self.port = free_port()
        path = self.folder + "/configuration"
        with open(path, "w") as file:
            file.write(configuration.format(folder=self.folder, port=self.port, **values))
        self.process = subprocess.Popen([*command, path], cwd=self.folder, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{command[0]} did not start") from None
                time.sleep(0.02)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def command_of(name):
    """Its path, also if only the superuser's search path has it; None if it is not installed."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def nginx(backend=None, upstream=None):
    """In front of the backend at a port, or of an upstream called "orders"."""
    return Proxy(NGINX, [command_of("nginx"), "-e", "stderr", "-c"],
                 upstream=upstream or ONE_UPSTREAM.format(backend=backend))


def haproxy(backend=None, mode="tcp", rules="", server="", section=None):
    """In front of the backend at a port, or with a section called "backend orders"."""
    return Proxy(HAPROXY, [command_of("haproxy"), "-db", "-q", "-f"], mode=mode,
                 section=section or ONE_SECTION.format(backend=backend, rules=rules, server=server))


def documented(kind, contains, ports):
    """In front of the backends at two ports, with the block of the backend's README that contains a text."""
    first_line = "upstream orders {" if kind is nginx else "backend orders\n"
    with open(GUIDE, encoding="utf-8") as file:
        blocks = re.findall(r"^```\w*\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    [block] = [block for block in blocks if block.startswith(first_line) and contains in block]
    for address, port in zip(GUIDE_SERVERS, ports, strict=True):
        if address not in block:
            raise ValueError(f"{address} is not in the block of the README")
        block = block.replace(address, f"127.0.0.1:{port}")
    return kind(upstream=block) if kind is nginx else kind(mode="http", section=block)


def by_address(kind, ports):
    """In front of two backends: each client stays on one of them because of its address."""
    return documented(kind, "hash $remote_addr" if kind is nginx else "balance source", ports)


def in_front(kind, port):
    """In front of one backend, for HTTP."""
    return kind(port) if kind is nginx else kind(port, mode="http", rules="option forwardfor")


def main(name, *ports):
    kind = {"nginx": nginx, "haproxy": haproxy}[name]
    proxy = in_front(kind, *ports) if len(ports) == 1 else by_address(kind, ports)
    print(proxy.port, flush=True)
    sys.stdin.read()
    proxy.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
