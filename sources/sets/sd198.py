"""SD-198: a folder a class, files named `NNNNNNHB.jpg` (or with another suffix) as published by its authors."""

from sources.entry import Source, SourceFile
from sources.record import Modality

SOURCE = Source(
    name="sd198",
    title="SD-198: clinical photographs of 198 skin diseases",
    version="2016",
    url="https://www.semanticscholar.org/paper/A-Benchmark-for-Automatic-Visual-Classification-of-Sun-Yang",
    citation="Sun X et al. ECCV (2016).",
    licence_id="LicenseRef-No-Clear-Rights",
    attribution="DermQuest contributors; Sun et al. 2016",
    access="agreement",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=6584,
    status="contract test",
    files=(SourceFile(name="sd-198.zip", role="images"),),
    reader="sources.class_folders",
    options={"skip": ("images",)},
    licence_claims=(),
    groups=(),
    overlaps=("sd260",),
    traps=(
        "overlaps SD-260, which grew out of it",
        "the images are from DermQuest, which is gone: no statement of rights, nothing is released",
        "156 near-duplicates were found in its 128-class part",
        "count and layout: confirm with the authors",
    ),
)
