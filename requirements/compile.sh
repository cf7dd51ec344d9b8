#!/usr/bin/env bash
# Resolve pyproject.toml into requirements/cpu.lock and gpu.lock. Run through `make lock`; needs the package index, installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
for build in cpu gpu; do
  links=(); if [ "$build" = cpu ]; then links=(--find-links "$1"); fi
  .venv/bin/uv pip compile --quiet pyproject.toml --extra "$build" --group dev \
    --override requirements/overrides.txt "${links[@]}" \
    --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate --generate-hashes \
    --output-file "requirements/$build.lock.new"
  # The CPU wheel of torch comes from another index than the rest, or from a local copy of it: its version is pinned, not its hash.
  .venv/bin/python - "requirements/$build.lock.new" "requirements/$build.lock" <<'PYTHON'
import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1]).read_text()
pathlib.Path(sys.argv[2]).write_text(re.sub(r"(torch==\S+\+cpu) \\\n(?:    --hash=\S+(?: \\)?\n)+", r"\1\n", text))
pathlib.Path(sys.argv[1]).unlink()
PYTHON
done
