"""The benchmark: built from the lake's held-out images, asked of any endpoint, scored and compared. `python -m pipelines.benchmark --help`."""
