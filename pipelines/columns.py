"""Columns of tables as numbers: values as codes, ids as positions in a sorted list of ids."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def coded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[Any]]:
    """A code for each value, and the values by their codes; a null is a value too. Memory: 4 bytes a row and the distinct values."""
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()


def positions(values: Any, among: pa.Array) -> np.ndarray:
    """Where each value (an array or chunked array) stands in `among`, -1 where it does not. Memory: a hash table of `among`."""
    found = pc.fill_null(pc.index_in(values, value_set=among), -1)
    return found.to_numpy()


def beside(images: pa.Table, more: pa.Table) -> pa.Table:
    """Images with the other columns of `more`, looked up by image id; null where it has no such row."""
    at = pc.index_in(images.column("image_id"), value_set=more.column("image_id").combine_chunks())
    for name in more.column_names:
        if name not in images.column_names:
            images = images.append_column(name, more.column(name).take(at))
    return images
