"""What is let through: pure judgements on rasters, records and generated text. Every threshold stands in `quality.thresholds`."""
