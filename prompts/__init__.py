"""What is asked: morphology schemas, the ontology, and the versioned wording of every prompt and question. Pure data and functions."""
