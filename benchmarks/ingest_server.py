"""The local server of `benchmarks.ingest`: `python -m benchmarks.ingest_server FOLDER COUNT` serves COUNT pictures, prints its address."""

import asyncio
import sys
from pathlib import Path

from aiohttp import web


async def main(folder: Path, count: int) -> None:
    """Serve picture n under `/n.jpg`, from memory."""
    files = sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem))
    pictures = [path.read_bytes() for path in files]

    async def picture(request: web.Request) -> web.Response:
        number = int(request.match_info["n"])
        if number >= count:
            raise web.HTTPNotFound
        return web.Response(body=pictures[number % len(pictures)], content_type="image/jpeg", headers={"ETag": f'"{number}"'})

    app = web.Application()
    app.router.add_get(r"/{n:\d+}.jpg", picture)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
