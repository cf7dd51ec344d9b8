"""Scoring of the benchmark: answers read, claims held against prose, scores with intervals, and baselines that know nothing."""
