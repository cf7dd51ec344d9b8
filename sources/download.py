"""Downloads that survive bad servers: resumed where they stopped, retried politely, given up within a budget.

HTTP goes through urllib3 because fsspec's HTTP files know neither `If-Range`, `Retry-After` nor a slow drip; every other protocol (s3,
gs, hf, file) goes through fsspec block by block. A file becomes visible under its name in one rename, after its checksum.
"""

import hashlib
import json
import logging
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import fsspec

BLOCK = 1 << 20
ATTEMPTS = 6
"""Consecutive tries that bring less than `PROGRESS_BYTES`; a try that brings more starts the count again."""

PROGRESS_BYTES = 1 << 20
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
BUDGET_SECONDS = 900.0
"""Waiting between tries in all, a file; a server that asks for more with Retry-After is given up at once."""

TIMEOUT_SECONDS = 30.0
WINDOW_SECONDS, SLOWEST_BYTES_PER_SECOND = 60.0, 1024
"""A connection that gives less than this over a window is dropped and made anew."""

PER_HOST = 4
"""Connections to one host at a time."""

REDIRECTS = 10

AGENT = "Mozilla/5.0 (compatible; DermoForge/0.1; image set reader)"

log = logging.getLogger("dermoforge.fetch")
hosts: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(PER_HOST))
"""What is asked of a host holds one of its connections for as long as it asks."""


class Gone(Exception):
    """An address that will not give the file however often it is asked: the status and the address."""


class GivenUp(Exception):
    """A file that could not be had within the attempts and the budget; says what happened last."""


class ChecksumMismatch(Exception):
    """A fetched file that is not the published one; names the file, the expected and the found sha256."""


class _Again(Exception):
    """Worth another try, after `wait` seconds if the server says so."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


def download(url: str, target: str, *, label: str, sha256: str | None = None, bar: bool = True) -> None:
    """Fetch `url` to the local path `target`, going on from `<target>.partial` if it is there.

    Raises Gone, GivenUp or ChecksumMismatch (after which nothing is kept).
    """
    from filelock import FileLock

    os.makedirs(os.path.dirname(target), exist_ok=True)
    partial = f"{target}.partial"
    with FileLock(_lock(target)):  # another run may be fetching the same file
        if os.path.exists(target):
            return
        with _bar(label, bar) as seen:
            _until_complete(url, partial, label, seen)
        found = digest(partial)
        if sha256 and found != sha256:
            forget(partial)
            raise ChecksumMismatch(f"{label} from {url}: expected sha256 {sha256}, found {found}")
        os.replace(partial, target)
        _remove(f"{partial}.json")


def _lock(target: str) -> str:
    """A lock file for a target, kept away from what users look at; a few targets may share one, which only makes one wait."""
    folder = os.path.join(tempfile.gettempdir(), "dermoforge-locks")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, hashlib.sha256(os.path.abspath(target).encode()).hexdigest()[:3])


def fetch_small(url: str, target: str, *, label: str) -> None:
    """Fetch a file of one image's size: one request into memory, one rename; what goes wrong is left to `download`.

    Raises Gone, GivenUp.
    """
    import urllib3

    if url.startswith(("http://", "https://")):
        try:
            with hosts[host_of(url)]:
                answer = client().request("GET", url)
            raise_for(answer, url)
            put(target, answer.data)
            return
        except (urllib3.exceptions.HTTPError, _Again) as error:
            log.debug("%s: %s", label, error)
    download(url, target, label=label, bar=False)


def _until_complete(url: str, partial: str, label: str, seen: Any) -> None:
    fetch_rest = _http_rest if url.startswith(("http://", "https://")) else _fsspec_rest
    tries, waited, wait = 0, 0.0, FIRST_WAIT_SECONDS
    while True:
        before = _size(partial)
        try:
            with hosts[host_of(url)]:
                fetch_rest(url, partial, seen)
            return
        except _Again as error:
            gained = _size(partial) - before
            tries = 1 if gained >= PROGRESS_BYTES else tries + 1
            wait = FIRST_WAIT_SECONDS if tries == 1 else min(2 * wait, LONGEST_WAIT_SECONDS)
            pause = wait if error.wait is None else max(error.wait, wait)
            if tries >= ATTEMPTS or waited + pause > BUDGET_SECONDS:
                why = f"{tries} tries" if tries >= ATTEMPTS else f"a wait of {pause:.0f} s is more than is left of the budget"
                raise GivenUp(f"{label}: {url}: {error} ({why})") from error
            log.warning("%s: %s; trying again in %.0f s", label, error, pause)
            time.sleep(pause)
            waited += pause


def digest(path: str) -> str:
    """The sha256 (hex) of a local file."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def forget(partial: str) -> None:
    """Remove a partial file and what is known about it."""
    _remove(partial)
    _remove(f"{partial}.json")


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


@lru_cache(maxsize=1)
def client() -> Any:
    """The one HTTP client: redirects followed, every wait limited, no tries of its own. Safe to share between threads."""
    import urllib3

    follow = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=REDIRECTS)
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    return urllib3.PoolManager(maxsize=PER_HOST, timeout=TIMEOUT_SECONDS, retries=follow, headers=headers)


def _http_rest(url: str, partial: str, seen: Any) -> None:
    """One request for what is missing. Raises _Again or Gone."""
    import urllib3

    known = _known(partial, url)
    have = _size(partial)
    headers = dict(client().headers)
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": known["validator"]} if known.get("validator") else {})
    try:
        answer = client().request("GET", url, headers=headers, preload_content=False)
        try:
            if answer.status == 416 and have and have == _total(answer):
                return
            raise_for(answer, url)
            have = _agree(answer, partial, url, have, known)
            _drain(answer, partial, have, seen)
        finally:
            answer.close()  # a connection whose answer was not read to its end is of no use to the next request
    except urllib3.exceptions.HTTPError as error:
        raise _Again(str(error) or type(error).__name__) from error


def put(target: str, data: bytes) -> None:
    """Make a whole file visible in one rename; the run that was first wins nothing, the bytes are the same."""
    temporary = f"{target}.{os.getpid()}-{threading.get_ident()}.partial"
    with open(temporary, "wb") as out:
        out.write(data)
    os.replace(temporary, target)


def host_of(url: str) -> str:
    """Host and port of an address: what limits go by."""
    return urlsplit(url).netloc


def raise_for(answer: Any, url: str) -> None:
    """Raises Gone for a status that will stay, another error for one that may change; `answer` has `status` and `headers`."""
    status = answer.status
    if status in (200, 206):
        return
    if status == 416:
        raise _Again("the server does not have the rest; starting over")
    if status in (408, 425, 429) or status >= 500:
        raise _Again(f"status {status}", _retry_after(answer))
    raise Gone(f"status {status} from {url}")


def _agree(answer: Any, partial: str, url: str, have: int, known: dict[str, Any]) -> int:
    """Where the answer goes on: at `have` when the server gives the rest of the same file, otherwise from the start."""
    total = _total(answer)
    facts = {"url": url, "validator": _validator(answer), "total": total}
    starts = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    same = answer.status == 206 and starts and (known.get("total") in (None, total))
    same = same and (known.get("validator") in (None, facts["validator"]))
    if have and not same:
        forget(partial)
        have = 0
        if answer.status == 206:  # the rest of another file: it has to be asked for from the start
            raise _Again("the file has changed on the server; starting over")
    with open(f"{partial}.json", "w") as out:
        json.dump(facts, out)
    return have


def _drain(answer: Any, partial: str, have: int, seen: Any) -> None:
    total, start, window = _total(answer), time.monotonic(), 0
    seen(have, total)
    with open(partial, "ab" if have else "wb") as out:
        for block in iter(lambda: answer.read1(1 << 16), b""):
            out.write(block)
            have += len(block)
            window += len(block)
            seen(have, total)
            spent = time.monotonic() - start
            if spent > WINDOW_SECONDS:
                if window < SLOWEST_BYTES_PER_SECOND * spent:
                    raise _Again(f"only {window:,} bytes in {spent:.0f} s")
                start, window = time.monotonic(), 0
    if total is not None and have != total:
        if have > total:
            forget(partial)
        raise _Again(f"the server ended the file at byte {have:,} of {total:,}")


def _total(answer: Any) -> int | None:
    """The size of the whole file, as far as the answer says."""
    whole = answer.headers.get("Content-Range", "").rpartition("/")[2]
    if whole.isdigit():
        return int(whole)
    length = answer.headers.get("Content-Length", "")
    return int(length) if answer.status == 200 and length.isdigit() else None


def _validator(answer: Any) -> str | None:
    """What tells this version of the file from another: a strong ETag, otherwise the date of its last change."""
    etag = answer.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified")


def _retry_after(answer: Any) -> float | None:
    text = answer.headers.get("Retry-After", "")
    if text.isdigit():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError):
        return None


def _known(partial: str, url: str) -> dict[str, Any]:
    """What is known of the file that `partial` is a part of; a part of something else is removed."""
    try:
        with open(f"{partial}.json") as handle:
            facts = json.load(handle)
    except (OSError, ValueError):
        facts = {}
    if facts.get("url") != url:
        forget(partial)
        return {}
    return facts


def _fsspec_rest(url: str, partial: str, seen: Any) -> None:
    try:
        fs, path = fsspec.url_to_fs(url)
        info = fs.info(path)
        total, validator = info.get("size"), str(info.get("ETag") or info.get("LastModified") or info.get("mtime") or "")
        known = _known(partial, url)
        have = _size(partial)
        if total is None or have > total or known.get("validator") not in (None, validator):
            forget(partial)
            have = 0
        with open(f"{partial}.json", "w") as out:
            json.dump({"url": url, "validator": validator, "total": total}, out)
        with open(partial, "ab" if have else "wb") as out:
            if total is None:
                out.write(fs.cat_file(path))
            while total is not None and have < total:
                block = fs.cat_file(path, start=have, end=min(have + 8 * BLOCK, total))
                if not block:
                    raise OSError(f"the store ended the file at byte {have:,} of {total:,}")
                out.write(block)
                have += len(block)
                seen(have, total)
    except FileNotFoundError as error:
        raise Gone(f"nothing at {url}") from error
    except Exception as error:  # every protocol has errors of its own; all of them are worth another try
        raise _Again(f"{type(error).__name__}: {error}") from error


@contextmanager
def _bar(label: str, shown: bool) -> Iterator[Any]:
    from tqdm import tqdm

    with tqdm(unit="B", unit_scale=True, desc=label, disable=not shown, leave=False, mininterval=1.0) as bar:

        def seen(have: int, total: int | None) -> None:
            bar.total = total
            bar.update(have - bar.n)

        yield seen


def facts_of(url: str) -> dict[str, Any]:
    """What a server says of a file without giving it: size and validator. Raises Gone or GivenUp."""
    import urllib3

    try:
        answer = client().request("HEAD", url)
        if answer.status >= 400:
            raise Gone(f"status {answer.status} from {url}")
    except urllib3.exceptions.HTTPError as error:
        raise GivenUp(f"{url}: {error}") from error
    length = answer.headers.get("Content-Length", "")
    return {"size": int(length) if length.isdigit() else None, "validator": _validator(answer)}


def get_json(url: str, params: dict[str, Any] | None = None, *, label: str, attempts: int = ATTEMPTS) -> Any:
    """A JSON document, retried like a file. Raises Gone, GivenUp."""
    import urllib3

    waited, wait = 0.0, FIRST_WAIT_SECONDS
    for attempt in range(1, attempts + 1):
        try:
            answer = client().request("GET", url, fields=params)
            raise_for(answer, url)
            return answer.json()
        except (urllib3.exceptions.HTTPError, ValueError, _Again) as error:
            pause = max(getattr(error, "wait", None) or 0.0, wait)
            if attempt == attempts or waited + pause > BUDGET_SECONDS:
                raise GivenUp(f"{label}: {url}: {error} ({attempt} tries)") from error
            log.warning("%s: %s; trying again in %.0f s", label, error, pause)
            time.sleep(pause)
            waited, wait = waited + pause, min(2 * wait, LONGEST_WAIT_SECONDS)
    raise AssertionError("unreachable")
