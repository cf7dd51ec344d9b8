"""Daffodil: a folder a class; augmented copies carry their making in front of the original name (`hue-100…`, `flip-…`)."""

from sources.entry import Source, SourceFile
from sources.record import Modality

SOURCE = Source(
    name="daffodil",
    title="Daffodil: five skin diseases, with augmented copies",
    version="1",
    url="https://data.mendeley.com",
    citation="Skin disease images, Daffodil International University.",
    licence_id="LicenseRef-No-Clear-Rights",
    attribution="Daffodil International University",
    access="open",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=None,
    status="contract test",
    files=(SourceFile(name="daffodil.zip", role="images"),),
    reader="sources.class_folders",
    options={
        "parts": ("train", "test", "val"),
        "copy": r"(?i)^(?:(?:hue|saturation|superpixels|padd|flip|resize|crop)[-_ ]?-?\d*(?:\.\d+)?[-_ ]*)+(.+?)(?:__Protect.*)?$",
    },
    licence_claims=(),
    groups=(),
    overlaps=(),
    traps=(
        "augmented copies are shipped beside their originals: hue, saturation, superpixels, padd, flip, Resize and Crop in front of the name; a family is never split",
        "licence, version and count: confirm on the page; until then nothing is released",
    ),
)
