"""A teacher behind OpenAI's protocol on this machine: vLLM's own server as a child that is watched and started again.

`make teacher MODEL=DIR`, or `python -m pipelines.teach.serve DIR [--port 8000] [--name teacher] [-- further arguments of vLLM]`.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from pipelines.teach.config import Vllm

RESTARTS = 3
"""Deaths in a row, each before the server was healthy for a while, that are mended."""

HEALTHY_SECONDS = 300.0
LOOK_SECONDS = 1.0
STOP_SECONDS = 30.0

log = logging.getLogger("dermoforge.serve")


def command(model: str, port: int, name: str, *, gpu: bool, more: Sequence[str] = ()) -> list[str]:
    """The server's command line. On the CPU in float32 without compilation, as the `vllm` engine runs it."""
    options = Vllm()  # type: ignore[call-arg]
    length = ["--max-model-len", str(options.max_model_len), "--max-num-seqs", str(options.max_num_seqs)]
    shape = ["--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}']
    pictures = ["--limit-mm-per-prompt", '{"image": 1, "video": 0}']
    unbatched = ["--no-enable-chunked-prefill", "--max-num-batched-tokens", str(options.max_model_len)]
    cpu = [] if gpu else ["--dtype", "float32", "--enforce-eager", *unbatched]
    where = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", name]
    server = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model]
    return [*server, *where, *length, *shape, *pictures, *cpu, *more]


def healthy(port: int) -> bool:
    """Whether the server says that it can be asked."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


class Supervisor:
    """One server process that is started again when it dies, and ends with its parent's signal."""

    def __init__(self, arguments: list[str], port: int) -> None:
        """Starts nothing."""
        self._arguments, self._port = arguments, port
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = False

    def run(self) -> int:
        """Serve until a signal (0) or until the server dies again and again (1)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.end())
        deaths = 0
        while not self._ended:
            begun = time.monotonic()
            self._child = self._start()
            status = self._watch(self._child)
            deaths = 1 if time.monotonic() - begun > HEALTHY_SECONDS else deaths + 1
            if not self._ended and deaths > RESTARTS:
                log.error("the server died %d times in a row, the last time with status %s", deaths, status)
                return 1
            if not self._ended:
                log.warning("the server died with status %s, starting it again (%d of %d)", status, deaths, RESTARTS)
        return 0

    def _start(self) -> subprocess.Popen[bytes]:
        quiet = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
        # A group of its own: the server's engine is a child of it and has to end with it.
        return subprocess.Popen(self._arguments, env={**quiet, **os.environ}, start_new_session=True)

    def _watch(self, child: subprocess.Popen[bytes]) -> int:
        told = False
        while child.poll() is None:
            time.sleep(LOOK_SECONDS)
            if not told and healthy(self._port):
                told = True
                log.info("ready: http://127.0.0.1:%d/v1 (put it into endpoint.urls of the teacher's file)", self._port)
        _end_group(child)
        return child.returncode

    def end(self) -> None:
        """End the server politely, then firmly."""
        self._ended = True
        if self._child and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                log.warning("the server does not end, killing it")
            _end_group(self._child)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def main() -> int:
    """Serve a model until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(prog="make teacher", description=__doc__)
    parser.add_argument("model", help="a directory, or a hub name whose snapshot is on this machine")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--name", default="teacher", help="the name that requests ask for")
    parser.add_argument("more", nargs="*", help="further arguments of vLLM's server, after --")
    chosen = parser.parse_args()
    gpu = Path("/proc/driver/nvidia/version").exists()
    return Supervisor(command(chosen.model, chosen.port, chosen.name, gpu=gpu, more=chosen.more), chosen.port).run()


if __name__ == "__main__":
    sys.exit(main())
