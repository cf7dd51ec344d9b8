"""One command each, peers in the same run; `results/` holds the full runs."""

import pipelines as _pipelines  # first: it says how Arrow allocates  # noqa: F401
