"""How the Hub is asked: bounded waits and retries, timeouts, and errors that say what to do without ever showing the token."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from pipelines.publish.tree import NotPublished

log = logging.getLogger("dermoforge.publish")

WAITS = (1, 2, 4, 8, 8)
"""Seconds between the tries of one call: what the Hub's own client waits where it retries by itself."""

LONGEST_WAIT = 300
"""Seconds that a server may ask to wait (Retry-After); the Hub's rate limits are counted in windows of five minutes."""

TRANSIENT = (408, 429, 500, 502, 503, 504)
"""Answers that another try may change, as in the Hub's own client."""

TIMEOUT = 120
"""Seconds without a byte after which a connection counts as dead; the Hub's client would wait for ever."""

Result = TypeVar("Result")


def patiently(repo: str, call: Callable[[], Result]) -> Result:
    """The result of a call that the Hub's client does not retry itself. Raises NotPublished after six tries."""
    for wait in WAITS:
        try:
            return call()
        except Exception as error:
            if not may_pass(error):
                raise explained(error, repo) from None
            pause(error, wait)
    with explaining(repo):
        return call()


def pause(error: BaseException, wait: float) -> None:
    """Sleep before another try: `wait` seconds, or as many as the server asked for."""
    response = getattr(error, "response", None)
    seconds = max(wait, asked_wait(response.headers) if response is not None else 0)
    log.info("the Hub did not answer well (%s); asking again in %d s", _in_a_word(error), seconds)
    time.sleep(seconds)


@contextmanager
def explaining(repo: str) -> Iterator[None]:
    """Turn whatever the Hub's client raises into NotPublished with words for a person."""
    try:
        yield
    except NotPublished:
        raise
    except Exception as error:
        raise explained(error, repo) from None


def may_pass(error: BaseException) -> bool:
    """Whether another try may succeed: a dropped connection, a server that is busy or broken."""
    import httpx2

    status = _status(error)
    return status in TRANSIENT if status else isinstance(error, httpx2.TransportError)


def explained(error: BaseException, repo: str) -> NotPublished:
    """The error in words. The chain of causes is cut by the callers: its texts may quote what a server echoed."""
    causes = list(_causes(error))
    told = next((cause for cause in causes if isinstance(cause, NotPublished)), None)
    if told is not None:
        return told
    cause = next((cause for cause in causes if _status(cause) or _is_network(cause)), causes[-1])
    said = getattr(cause, "server_message", None)
    status, endpoint = _status(cause), _endpoint()
    other_way = " (HF_HUB_DISABLE_XET=1 sends plain uploads instead)" if "xet" in str(cause).lower() else ""
    words = {
        400: f"the Hub does not accept the request (400): {said or cause}",
        401: f"the Hub does not know the token (401), or {repo} does not exist: set HF_TOKEN to a token that may write there, "
        "or run `hf auth login`",
        403: f"the token may not do that to {repo} (403): it needs the permission to write; {said or 'no reason given'}",
        404: f"{endpoint} has no dataset {repo} that this token may see (404)",
        429: "the Hub is throttling (429) and did not stop within the waits it asked for; run the same command later",
    }
    if status in words:
        text = words[status]
    elif status:
        text = f"the Hub failed with {status}: {said or cause}; run the same command again"
    elif _is_network(cause):
        text = f"no connection to {endpoint} ({_in_a_word(cause)}): {cause}; run the same command again{other_way}"
    else:
        text = f"{_in_a_word(cause)}: {cause}{other_way}"
    return NotPublished(_without_token(text))


def asked_wait(headers: Mapping[str, str]) -> int:
    """Seconds that a server asks to wait, by its rate-limit headers or Retry-After; 0 where it asks for none."""
    from huggingface_hub.utils import parse_ratelimit_headers

    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return limit.reset_in_seconds
    value = headers.get("Retry-After", "").strip()
    return int(value) if value.isdigit() else 0


def use_patient_client() -> None:
    """Give the Hub's client timeouts, and refuse waits above LONGEST_WAIT, which it would sleep through. For this process."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import disable_progress_bars
    from huggingface_hub.utils._http import default_client_factory

    def client() -> Any:
        made = default_client_factory()
        made.timeout = TIMEOUT
        made.event_hooks = {**made.event_hooks, "response": [_refuse_long_waits]}
        return made

    set_client_factory(client)
    disable_progress_bars()


def _refuse_long_waits(response: Any) -> None:
    seconds = asked_wait(response.headers) if response.status_code in TRANSIENT else 0
    if seconds > LONGEST_WAIT:
        raise NotPublished(
            f"the Hub answers {response.status_code} and asks to wait {seconds:,} s; run the same command then: "
            "what was uploaded is not sent again"
        )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    return getattr(response, "status_code", 0)


def _is_network(error: BaseException) -> bool:
    import httpx2

    return isinstance(error, httpx2.TransportError | ConnectionError | TimeoutError)


def _in_a_word(error: BaseException) -> str:
    return str(_status(error) or type(error).__name__)


def _endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT


def _without_token(text: str) -> str:
    from huggingface_hub import get_token

    token = get_token()
    return text.replace(token, "…") if token else text
