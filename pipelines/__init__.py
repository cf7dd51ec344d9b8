"""The work: every stage from fetched archive to release, on Ray, reading and writing the lake. Nothing here imports Dagster."""
