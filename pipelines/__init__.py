"""The work: every stage from fetched archive to release, on Ray, reading and writing the lake. Nothing here imports Dagster."""

import os

# Arrow's own allocators keep the largest read they ever served; the system's gives it back. Read once, when Arrow is loaded.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
