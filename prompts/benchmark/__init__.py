"""The benchmark's eleven tasks on four axes: what is asked of a model about held-out images, and what the truth is."""
