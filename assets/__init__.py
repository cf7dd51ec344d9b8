"""What a person sees, schedules and checks: thin Dagster definitions over `pipelines`. `assets.definitions` assembles them."""

import pipelines as _pipelines  # first: it says how Arrow allocates  # noqa: F401
