"""Debian's nginx and haproxy, each with its own configuration, folder and ports.

Not here: tests."""
import shutil
import socket
import subprocess
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
