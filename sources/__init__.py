"""What exists: the catalogue of image sets and one reader a set. Parsing is pure; only `fetch` touches a network or a disk."""
