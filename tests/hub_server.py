"""A local server that speaks the Hub's protocol as huggingface_hub 2 and datasets 5 use it, and misbehaves on demand.

Repositories, commits with a parent guard, tags, LFS batches (basic and multipart), listings in pages, files with ranges. Blobs and
commits live in memory. It offers no xet: clients that are to use it set HF_HUB_DISABLE_XET=1, the client's documented switch.
"""

import asyncio
import base64
import hashlib
import json
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web

WRITER, READER = "hf_writer", "hf_reader"
PART = 400_000
PAGE = 50
LARGE = re.compile(r"\.(parquet|tar|jpg)$")


@dataclass(frozen=True)
class File:
    """A file of a tree: its content's address, by git's sha1 and, for a large file, its sha256."""

    size: int
    git: str
    lfs: str | None


@dataclass
class Repo:
    """A dataset repository. `sent` counts the uploads of each blob that arrived whole, `begun` those that began."""

    private: bool = True
    trees: dict[str, dict[str, File]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    head: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    begun: Counter[str] = field(default_factory=Counter)

    def commit(self, tree: dict[str, File], title: str) -> str:
        """A commit on top of the head."""
        listing = json.dumps([self.head, title, sorted((path, file.git) for path, file in tree.items())])
        self.head = hashlib.sha1(listing.encode()).hexdigest()
        self.trees[self.head] = tree
        self.titles[self.head] = title
        return self.head

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or commit names."""
        names = {"main": self.head, **self.tags, **{sha: sha for sha in self.trees}}
        return names.get(unquote(revision))

    def store(self, data: bytes) -> File:
        """A small file."""
        git = git_sha1(data)
        self.blobs[git] = data
        return File(len(data), git, None)

    def content(self, file: File) -> bytes:
        """The bytes of a file."""
        return self.blobs[file.lfs or file.git]

    def copy(self) -> "Repo":
        """The same repository, with counters of its own."""
        same = {"trees": dict(self.trees), "titles": dict(self.titles), "tags": dict(self.tags), "blobs": dict(self.blobs)}
        return Repo(private=self.private, head=self.head, **same)


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Fault:
    """What goes wrong with requests whose "METHOD path" matches, `times` times.

    `status` answers; `cut` reads that share of the body and drops the connection; `lost` does the work and drops the connection;
    `kill` ends the process `victim` when that share of the body was read; `then` runs first.
    """

    match: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    cut: float | None = None
    lost: bool = False
    kill: float | None = None
    then: Callable[[], object] | None = None
    times: int = 1


@dataclass
class Hub:
    """The server's state: repositories, requests so far, faults to come, and the process that a fault kills."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    kill_at: tuple[int, float] | None = None
    victim: int | None = None
    busy: int = 0
    multipart_above: int = 1 << 40

    def due(self, request: web.Request) -> Fault | None:
        """The fault of this request, taken off the list."""
        said = f"{request.method} {request.path}"
        self.asked.append(said)
        if self.kill_at and len(self.asked) == self.kill_at[0]:
            return Fault(said, kill=self.kill_at[1])
        for fault in self.faults:
            if re.search(fault.match, said):
                fault.times -= 1
                self.faults = [kept for kept in self.faults if kept.times]
                return fault
        return None

    @web.middleware
    async def misbehave(self, request: web.Request, handler):
        """Apply the fault of a request, if it has one."""
        self.busy += 1
        try:
            return await self._answer(request, handler)
        finally:
            self.busy -= 1

    def settle(self) -> None:
        """Wait until every request that was begun is over, those of dead clients too."""
        until = time.monotonic() + 10
        while self.busy:
            assert time.monotonic() < until, f"{self.busy} requests are stuck"
            time.sleep(0.005)

    async def _answer(self, request: web.Request, handler):
        fault = self.due(request)
        if fault is None:
            return await handler(request)
        if fault.then:
            fault.then()
        if fault.status:
            await request.read()
            return web.Response(status=fault.status, headers=fault.headers, text=fault.body, content_type="application/json")
        if fault.kill is not None:
            await self._kill(request, fault.kill)
            return await handler(request)
        if not fault.lost and fault.cut is None:
            return await handler(request)
        if fault.lost:
            await handler(request)
        elif fault.cut:
            await request.content.readexactly(int((request.content_length or 0) * fault.cut))
        request.transport.abort()
        return web.Response()

    async def _kill(self, request: web.Request, share: float) -> None:
        """Kill when `share` of the body is here. The rest may still be under way; without it the request never happens."""
        length = request.content_length or 0
        first = int(length * share)
        seen = await request.content.readexactly(first) if first else b""
        while self.victim is None:
            await asyncio.sleep(0.01)
        os.kill(self.victim, signal.SIGKILL)
        request._read_bytes = seen + await request.content.readexactly(length - first) if length > first else seen

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self.misbehave], client_max_size=1 << 30)
        repo = r"/{repo:[\w.-]+/[\w.-]+}"
        api, git = f"/api/datasets{repo}", f"/datasets{repo}"
        app.add_routes(
            [
                web.get("/api/whoami-v2", self.whoami),
                web.post("/api/repos/create", self.create),
                web.post("/api/validate-yaml", self.validate),
                web.post(api + "/preupload/{revision}", self.preupload),
                web.post(api + "/commit/{revision}", self.commit),
                web.post(api + "/tag/{revision}", self.tag),
                web.get(api + "/tree/{revision}{path:.*}", self.tree),
                web.post(api + "/paths-info/{revision}", self.paths),
                web.get(api + "/revision/{revision}", self.info),
                web.get(api, self.info),
                web.post(git + ".git/info/lfs/objects/batch", self.batch),
                web.put("/lfs" + repo + "/{oid}", self.put),
                web.put("/lfs" + repo + "/{oid}/{part}", self.put_part),
                web.post("/lfs" + repo + "/{oid}/complete", self.complete),
                web.post("/lfs" + repo + "/verify", self.verify),
                web.get(git + "/resolve/{revision}/{path:.+}", self.resolve),
            ]
        )
        return app

    def _user(self, request: web.Request, *, write: bool = False) -> str | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in (WRITER, READER):
            text = "Invalid credentials in Authorization header"
            raise web.HTTPUnauthorized(headers={"X-Error-Message": text}, text=json.dumps({"error": f"{text}: {token}"}))
        if write and token != WRITER:
            raise web.HTTPForbidden(headers={"X-Error-Message": "You don't have the rights to write"}, text="{}")
        return token or None

    def _repo(self, request: web.Request, *, write: bool = False) -> Repo:
        user = self._user(request)
        repo = self.repos.get(request.match_info["repo"])
        if repo is None or (repo.private and not user):
            raise web.HTTPNotFound(headers={"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        self._user(request, write=write)
        return repo

    def _revision(self, request: web.Request, repo: Repo) -> str:
        found = repo.resolve(request.match_info.get("revision", "main"))
        if found is None:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"})
        return found

    async def whoami(self, request: web.Request) -> web.Response:
        return web.json_response({"type": "user", "name": (self._user(request) or "").removeprefix("hf_"), "orgs": []})

    async def create(self, request: web.Request) -> web.Response:
        self._user(request, write=True)
        asked = await request.json()
        name = f"{asked['organization']}/{asked['name']}"
        assert asked["type"] == "dataset"
        if name in self.repos:
            return web.json_response({"error": "You already created this dataset repo"}, status=409)
        repo = self.repos[name] = Repo(private=asked.get("visibility") != "public")
        repo.commit({".gitattributes": repo.store(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")}, "initial commit")
        return web.json_response({"url": f"{self.url}/datasets/{name}"})

    async def validate(self, request: web.Request) -> web.Response:
        return web.json_response({"errors": [], "warnings": []})

    async def info(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        sha = self._revision(request, repo)
        siblings = [{"rfilename": path} for path in sorted(repo.trees[sha])]
        return web.json_response(
            {"id": request.match_info["repo"], "sha": sha, "private": repo.private, "siblings": siblings, "tags": []}
        )

    async def preupload(self, request: web.Request) -> web.Response:
        repo = self._repo(request, write=True)
        held = repo.trees[self._revision(request, repo)]
        files = []
        for file in (await request.json())["files"]:
            mode = "lfs" if LARGE.search(file["path"]) or file["size"] > 10 << 20 else "regular"
            now = held.get(file["path"])
            oid = (now.lfs or now.git) if now else None
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return web.json_response({"files": files})

    async def batch(self, request: web.Request) -> web.Response:
        repo, name = self._repo(request, write=True), request.match_info["repo"]
        objects = []
        for item in (await request.json())["objects"]:
            oid, href = item["oid"], f"{self.url}/lfs/{name}/{item['oid']}"
            if oid in repo.blobs:
                objects.append(item)
                continue
            upload = {"href": href}
            if item["size"] > self.multipart_above:
                parts = {str(n + 1): f"{href}/{n + 1}" for n in range(-(-item["size"] // PART))}
                upload = {"href": f"{href}/complete", "header": {"chunk_size": str(PART), **parts}}
            verify = {"href": f"{self.url}/lfs/{name}/verify"}
            objects.append({**item, "actions": {"upload": upload, "verify": verify}})
        return web.json_response({"transfer": "basic", "objects": objects})

    async def put(self, request: web.Request) -> web.Response:
        repo, oid = self.repos[request.match_info["repo"]], request.match_info["oid"]
        repo.begun[oid] += 1
        return self._arrived(repo, oid, await request.read())

    async def put_part(self, request: web.Request) -> web.Response:
        repo, oid = self.repos[request.match_info["repo"]], request.match_info["oid"]
        data = await request.read()
        repo.parts.setdefault(oid, {})[int(request.match_info["part"])] = data
        return web.Response(headers={"ETag": hashlib.md5(data).hexdigest()})

    async def complete(self, request: web.Request) -> web.Response:
        repo, oid = self.repos[request.match_info["repo"]], request.match_info["oid"]
        asked, parts = await request.json(), repo.parts.pop(oid)
        if [part["etag"] for part in asked["parts"]] != [hashlib.md5(parts[n]).hexdigest() for n in sorted(parts)]:
            return web.json_response({"error": "wrong parts"}, status=400)
        repo.begun[oid] += 1
        return self._arrived(repo, oid, b"".join(parts[n] for n in sorted(parts)))

    def _arrived(self, repo: Repo, oid: str, data: bytes) -> web.Response:
        if hashlib.sha256(data).hexdigest() != oid:
            return web.json_response({"error": "checksum mismatch"}, status=400)
        repo.blobs[oid] = data
        repo.sent[oid] += 1
        return web.Response()

    async def verify(self, request: web.Request) -> web.Response:
        repo, asked = self._repo(request, write=True), await request.json()
        whole = len(repo.blobs.get(asked["oid"], b"")) == asked["size"]
        return web.json_response({}, status=200 if whole else 404)

    async def commit(self, request: web.Request) -> web.Response:
        repo = self._repo(request, write=True)
        lines = [json.loads(line) for line in (await request.text()).splitlines()]
        header, tree = lines[0]["value"], dict(repo.trees[repo.head])
        if header.get("parentCommit", repo.head) != repo.head:
            text = "A commit has happened since. Please refresh and try again."
            return web.json_response({"error": text}, status=412, headers={"X-Error-Message": text})
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "deletedFile":
                del tree[value["path"]]
            elif line["key"] == "file":
                tree[value["path"]] = repo.store(base64.b64decode(value["content"]))
            elif value["oid"] not in repo.blobs:
                return web.json_response({"error": f"LFS pointer to {value['oid']}, which was not uploaded"}, status=400)
            else:
                pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{value['oid']}\nsize {value['size']}\n"
                tree[value["path"]] = File(value["size"], git_sha1(pointer.encode()), value["oid"])
        sha = repo.commit(tree, header["summary"])
        return web.json_response(
            {"commitUrl": f"{self.url}/datasets/{request.match_info['repo']}/commit/{sha}", "commitOid": sha}
        )

    async def tag(self, request: web.Request) -> web.Response:
        repo, asked = self._repo(request, write=True), await request.json()
        if asked["tag"] in repo.tags:
            return web.json_response({"error": "Tag reference exists already"}, status=409)
        repo.tags[asked["tag"]] = self._revision(request, repo)
        return web.json_response({})

    def _items(self, repo: Repo, sha: str, under: str, *, deep: bool) -> list[dict]:
        items: dict[str, dict] = {}
        prefix = f"{under}/" if under else ""
        for path, file in sorted(repo.trees[sha].items()):
            if not path.startswith(prefix):
                continue
            folders = path.removeprefix(prefix).split("/")[:-1]
            for n in range(1, len(folders) + 1):
                name = prefix + "/".join(folders[:n])
                if deep or n == 1:
                    items[name] = {"type": "directory", "path": name, "oid": git_sha1(name.encode()), "size": 0}
            if deep or not folders:
                items[path] = self._item(path, file, sha, repo)
        return list(items.values())

    def _item(self, path: str, file: File, sha: str, repo: Repo) -> dict:
        item = {"type": "file", "path": path, "oid": file.git, "size": file.size}
        if file.lfs:
            item["lfs"] = {"oid": file.lfs, "size": file.size, "pointerSize": 134}
        last = {"id": sha, "title": repo.titles[sha], "date": "2026-01-01T00:00:00.000Z"}
        return {**item, "lastCommit": last}

    async def tree(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        sha = self._revision(request, repo)
        under = request.match_info["path"].strip("/")
        items = self._items(repo, sha, under, deep=request.query.get("recursive", "").lower() in ("true", "1"))
        if under and not items:
            raise web.HTTPNotFound(headers={"X-Error-Code": "EntryNotFound"})
        at = int(request.query.get("cursor", 0))
        headers = {}
        if at + PAGE < len(items):
            following = request.url.update_query(cursor=at + PAGE)
            headers["Link"] = f'<{following}>; rel="next"'
        return web.json_response(items[at : at + PAGE], headers=headers)

    async def paths(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        sha = self._revision(request, repo)
        asked = await (request.json() if request.content_type == "application/json" else request.post())
        wanted = asked["paths"] if isinstance(asked, dict) else asked.getall("paths")
        found = {item["path"]: item for item in self._items(repo, sha, "", deep=True)}
        return web.json_response([found[path] for path in wanted if path in found])

    async def resolve(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        sha = self._revision(request, repo)
        file = repo.trees[sha].get(request.match_info["path"])
        if file is None:
            raise web.HTTPNotFound(headers={"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
        data = repo.content(file)
        headers = {"ETag": f'"{file.lfs or file.git}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        part = request.http_range
        if part.start is None and part.stop is None:
            return web.Response(body=data, headers=headers)
        start, stop, _ = part.indices(len(data))
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        return web.Response(status=206, body=data[start:stop], headers=headers)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub while it is up, on a thread and a port of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    runner = web.AppRunner(hub.app())

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hub.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        ready.set()

    thread = threading.Thread(target=lambda: (loop.run_until_complete(start()), loop.run_forever()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield hub
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
