"""What the embedding model is shown of each picture, handed on by the decode of ingest: one file a pack, gone once its vectors are stored.

A view is only a short cut: where there is none, or none that fits, the embedding stage decodes the picture itself. About 150 kB a picture of
224 x 224 until then.
"""

import contextlib
import logging
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from io import BytesIO
from typing import Any

import numpy as np

from pipelines.lake import Lake, put_atomically
from pipelines.pixels import PixelBatch
from prompts.schemas import digest

log = logging.getLogger("dermoforge.embed")

Preparation = Mapping[str, Any]
"""What open_clip does to a picture before a model sees it: size, crop and scale (its `PreprocessCfg`)."""


def transform(preparation: Preparation) -> Any:
    """open_clip's own transform of a picture into what a model takes."""
    return _transform(tuple(sorted((key, _frozen(value)) for key, value in preparation.items())))


@lru_cache(maxsize=4)
def _transform(preparation: tuple[tuple[str, Any], ...]) -> Any:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    return image_transform_v2(PreprocessCfg(**dict(preparation)), is_train=False)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def shown(rgb: np.ndarray, preparation: Preparation) -> np.ndarray:
    """The picture in the size that the model wants: uint8 (height, width, 3) of an upright raster."""
    from PIL import Image

    # The library's own steps, but for the last two: a tensor of floats is four times as much to keep.
    cut = transform(preparation).transforms[:-2]
    return np.asarray(reduce(lambda picture, step: step(picture), cut, Image.fromarray(rgb)))


def hand_on(lake: Lake, pack: str, preparation: Preparation, pictures: Sequence[np.ndarray]) -> None:
    """Store the views of a pack's images, in the order of its rows."""
    out = BytesIO()
    np.save(out, np.stack(pictures))
    fs, root = lake.filesystem()
    with contextlib.suppress(
        FileNotFoundError
    ):  # the folder may go with the last view of another source: then there is none of these
        put_atomically(fs, f"{root}/{_name(pack, preparation)}", out.getvalue())


def handed_on(batch: PixelBatch, preparation: Preparation) -> np.ndarray | None:
    """Views of a batch, uint8 (n, height, width, 3), in the order of its rows; None where ingest left none. Memory: from the first row to the last."""
    fs, root = batch.lake.filesystem()
    first, last = batch.rows[0][0], batch.rows[-1][0]
    try:
        with fs.open(f"{root}/{_name(batch.pack, preparation)}", "rb") as file:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            size = int(np.prod(shape[1:])) * dtype.itemsize
            file.seek(first * size, 1)
            data: Any = file.read((last + 1 - first) * size)
        pictures = np.frombuffer(data, dtype).reshape(last + 1 - first, *shape[1:])
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        log.warning("the views of %s cannot be read (%s): its pictures are decoded again", batch.pack, error)
        return None
    return pictures[[row - first for row, _ in batch.rows]]


def drop(lake: Lake, source: str = "") -> None:
    """Delete the views of a source, or all, whatever they were made for."""
    fs, root = lake.filesystem()
    folder = f"{root}/views/{source}"
    if fs.exists(folder):
        fs.rm(folder, recursive=True)
    if "file" in fs.protocol:
        with contextlib.suppress(OSError):  # another source's views are still in it, or it is gone
            os.rmdir(f"{root}/views")


def _name(pack: str, preparation: Preparation) -> str:
    """Beside `packs/SOURCE/NAME.parquet`."""
    _, source, name = pack.rsplit("/", 2)
    return f"views/{source}/{digest(dict(preparation))[:16]}/{name.removesuffix('.parquet')}.npy"
