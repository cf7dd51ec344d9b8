"""PUMCH: nothing is published; a copy obtained from its owners is read as a folder a class."""

from sources.entry import Source, SourceFile
from sources.record import Modality

SOURCE = Source(
    name="pumch",
    title="PUMCH: Peking Union Medical College Hospital images",
    version="by-request",
    url="https://www.pumch.cn",
    citation="Peking Union Medical College Hospital.",
    licence_id="LicenseRef-Research-Only",
    attribution="Peking Union Medical College Hospital",
    access="agreement",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=None,
    status="contract test",
    files=(SourceFile(name="pumch.zip", role="images"),),
    reader="sources.class_folders",
    options={"parts": ("train", "test", "val")},
    licence_claims=(),
    groups=(),
    overlaps=(),
    traps=(
        "no published layout, count or licence was found: agree them with the owners",
        "nothing of it is ever released",
    ),
)
