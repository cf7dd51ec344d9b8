"""A local HTTP server that behaves as badly as a test asks it to."""

import http.server
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Site:
    """Files by path, and what goes wrong, in order: each request takes the next of `faults` (see `Handler`)."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    ranges: bool = True
    etag: str = '"1"'
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    redirect: dict[str, str] = field(default_factory=dict)
    answer: Callable[[str], tuple[int, bytes]] | None = None
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(http.server.BaseHTTPRequestHandler):
    """GET and HEAD with ranges. Faults: `cut:N` (N bytes, then close), `status:N[:seconds]`, `drip`, `slow`."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        site = self.site
        with site.lock:
            site.at_once += 1
            site.most_at_once = max(site.most_at_once, site.at_once)
        try:
            self._serve(site)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            with site.lock:
                site.at_once -= 1

    def _serve(self, site: Site):
        wanted = self.headers.get("Range")
        site.asked.append((self.path, wanted))
        if self.path in site.redirect:
            self._head(302, 0, {"Location": site.redirect[self.path]})
            return
        fault = site.faults.popleft() if site.faults and self.command == "GET" else ""
        if fault.startswith("status:"):
            _, status, *after = fault.split(":")
            self._head(int(status), 0, {"Retry-After": after[0]} if after else {})
            return
        if site.answer:
            status, body = site.answer(self.path)
            self._head(status, len(body), {})
            self.wfile.write(body)
            return
        body = site.files.get(self.path)
        if body is None:
            self._head(404, 0, {})
            return
        if fault == "slow":
            time.sleep(0.2)
        self._file(site, body, wanted, fault)

    def _file(self, site: Site, body: bytes, wanted: str | None, fault: str):
        start, status, headers = 0, 200, {"ETag": site.etag}
        if wanted and site.ranges and self.headers.get("If-Range", site.etag) == site.etag:
            start, status = int(wanted.removeprefix("bytes=").split("-")[0]), 206
            if start >= len(body):
                self._head(416, 0, {"Content-Range": f"bytes */{len(body)}"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self._head(status, len(body) - start, headers)
        if self.command == "HEAD":
            return
        if fault.startswith("cut:"):
            self.wfile.write(body[start : start + int(fault[4:])])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        elif fault == "drip":
            for at in range(start, len(body)):
                self.wfile.write(body[at : at + 1])
                time.sleep(0.02)
        else:
            self.wfile.write(body[start:])

    def _head(self, status: int, length: int, headers: dict[str, str]):
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The address of the site while it is up."""
    handler = type("SiteHandler", (Handler,), {"site": site})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.daemon_threads = True
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
