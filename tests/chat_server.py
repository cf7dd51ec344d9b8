"""A local server that speaks OpenAI's chat completions and behaves as badly as a test asks it to: `python tests/chat_server.py PORT`.

Faults, one a request, in order: `status:N[:Retry-After]`, `html`, `close` (no response), `cut` (half a response), `drip` (a byte a
second), `huge` (10 MB), `refusal`, `truncated`, `invalid` (JSON that is no chat completion), `empty`.
"""

import hashlib
import http.server
import json
import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

MODEL = "teacher"
TEXT_TOKENS, IMAGE_TOKENS = 100, 16


@dataclass
class Chat:
    """What the server was asked, what goes wrong next, how much it takes at once (more: 429), and whether its engine is dead."""

    faults: deque[str] = field(default_factory=deque)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    takes: int = 10_000
    seconds: float = 0.0
    sees: bool = True
    dead: bool = False
    remember: bool = True
    at_once: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


def said(body: dict[str, Any]) -> str:
    """An observation, a reasoning or a judgement that fits the schema and most checks, and differs from picture to picture."""
    shown = hashlib.sha256(json.dumps(body["messages"]).encode()).digest()[0]
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    if "verdicts" in schema:
        return json.dumps({"verdicts": ["supported"] * schema["verdicts"]["minItems"], "extra": shown % 2})
    others = [("colour: light brown", "colour: dark brown")[shown % 2]]
    if "safety" in schema:
        judged = body["messages"][-1]["content"][-1]["text"].split("--- description ---\n")[1].split("\n--- reasoning")[0]
        score = 2 + shown % 4
        one = {"quote": judged[:80], "why": "As said.", "score": score}
        return json.dumps(dict.fromkeys(schema, one))
    if "reasoning" in schema:
        text = "The lesion shows one colour that was recorded, and nothing in it decides the question by itself. "
        text += "A brown colour of this kind fits many conditions, and structures could not be judged in this picture. "
        text += (
            "The support is weak, the conclusion is drawn with caution, and other conditions can look alike: melanocytic nevus."
        )
        return json.dumps({"supporting": others, "against": [], "reasoning": text, "final_diagnosis": "melanocytic nevus"})
    text = f"The lesion shows a single colour, {others[0].split(': ')[1]}. Its border and its symmetry could not be judged in this "
    text += "picture, and no further structure can be made out with certainty. The skin around it looks even and shows no other mark "
    text += "that could be described here with any confidence."
    if "morphological_features_Derm7pt" in schema:
        keys = schema["morphological_features_Derm7pt"]["properties"]
        first: dict[str, Any] = {"morphological_features_Derm7pt": dict.fromkeys(keys, "not assessable")}
    else:
        first = {"morphological_features_skincon": []}
    return json.dumps({**first, "morphological_features_others": others, "detailed_description": text})


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /v1/models and POST /v1/chat/completions."""

    protocol_version = "HTTP/1.1"
    chat: Chat

    def do_GET(self):
        self._send(200, json.dumps({"data": [{"id": MODEL}]}).encode())

    def do_POST(self):
        chat = self.chat
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        trial = body["max_tokens"] == 1
        with chat.lock:
            chat.at_once += 1
            busy = chat.at_once > chat.takes
            fault = "status:429:0.1" if busy else "" if trial or not chat.faults else chat.faults.popleft()
            fault = "status:500" if chat.dead else fault
            if chat.remember and not trial:
                chat.bodies.append(body)
            chat.keys.add(self.headers.get("Authorization"))
        time.sleep(0 if trial else chat.seconds)
        try:
            self._fail(fault) if fault else self._send(200, json.dumps(self._completion(body)).encode())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with chat.lock:
                chat.at_once -= 1

    def _completion(self, body: dict[str, Any], **changes: Any) -> dict[str, Any]:
        shown = any(part["type"] == "image_url" for part in body["messages"][0]["content"]) and self.chat.sees
        message = {"role": "assistant", "content": said(body)}
        usage = {"prompt_tokens": TEXT_TOKENS + IMAGE_TOKENS * shown, "completion_tokens": 50}
        return {"choices": [{"message": message, "finish_reason": "stop"} | changes], "usage": usage}

    def _fail(self, fault: str):
        kind, *rest = fault.split(":")
        if kind == "status":
            self._send(int(rest[0]), b"out of order, key was Bearer secret", {"Retry-After": rest[1]} if rest[1:] else {})
        elif kind == "html":
            self._send(200, b"<html><body>Welcome</body></html>")
        elif kind == "close":
            self.close_connection = True
        elif kind in ("cut", "drip"):
            self._partly(kind)
        elif kind == "huge":
            self._send(200, b'{"choices": [{"message": {"content": "' + b"x" * 10_000_000 + b'"}}]}')
        elif kind == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
            self._send(200, json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode())
        elif kind == "truncated":
            message = {"role": "assistant", "content": '{"morphological'}
            self._send(200, json.dumps({"choices": [{"message": message, "finish_reason": "length"}]}).encode())
        else:
            self._send(200, {"invalid": b'{"ok": true}', "empty": b""}[kind])

    def _partly(self, kind: str):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(3 if kind == "cut" else 120):
            self.wfile.write(b"{")
            self.wfile.flush()
            time.sleep(0.01 if kind == "cut" else 1.0)
        self.close_connection = True

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None):
        with self.chat.lock:
            self.chat.statuses[status] += 1
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Quiet."""


class Server(http.server.ThreadingHTTPServer):
    """Many connections at once, without complaint about those that break."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """A client that left is no error here."""


def serve(chat: Chat, port: int = 0) -> Server:
    """A running server; its URL is `http://127.0.0.1:{server_port}/v1`."""
    server = Server(("127.0.0.1", port), type("ChatHandler", (Handler,), {"chat": chat}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    running = serve(Chat(remember=False), int(sys.argv[1]))
    threading.Event().wait()
