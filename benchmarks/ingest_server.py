"""The local server of `benchmarks.ingest`: `python -m benchmarks.ingest_server FOLDER COUNT` serves COUNT pictures, prints its address.

It knows no more of HTTP than GET over connections that stay open: it takes its time from the same two cores as what is measured.
"""

import asyncio
import re
import sys
from pathlib import Path

WANTED = re.compile(rb"GET /(\d+)\.jpg HTTP/1\.1\r\n")
GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Answers(asyncio.Protocol):
    """One connection: whole answers from memory, in the order of the requests."""

    def __init__(self, pictures: list[bytes], count: int) -> None:
        self._pictures, self._count = pictures, count
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._out = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._asked += data
        while b"\r\n\r\n" in self._asked:
            head, _, self._asked = self._asked.partition(b"\r\n\r\n")
            wanted = WANTED.match(head + b"\r\n")
            number = int(wanted[1]) if wanted else self._count
            self._out.writelines(self._answer(number) if number < self._count else [GONE])

    def _answer(self, number: int) -> list[bytes]:
        body = self._pictures[number % len(self._pictures)]
        head = f'HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\nETag: "{number}"\r\n\r\n'
        return [head.encode(), body]


async def main(folder: Path, count: int) -> None:
    """Serve picture n under `/n.jpg`, from memory."""
    files = sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem))
    pictures = [path.read_bytes() for path in files]
    server = await asyncio.get_running_loop().create_server(lambda: Answers(pictures, count), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
