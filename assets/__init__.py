"""What a person sees, schedules and checks: thin Dagster definitions over `pipelines`. `assets.definitions` assembles them."""
