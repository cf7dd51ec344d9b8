"""SD-260: a folder a class, files named `NNNNNNHB.jpg` (or with another suffix) as published by its authors."""

from sources.entry import Source, SourceFile
from sources.record import Modality

SOURCE = Source(
    name="sd260",
    title="SD-260: clinical photographs of 260 skin diseases",
    version="2019",
    url="https://www.semanticscholar.org/paper/A-Benchmark-for-Automatic-Visual-Classification-of-Sun-Yang",
    citation="Yang J et al. IEEE Trans Image Process (2019).",
    licence_id="LicenseRef-No-Clear-Rights",
    attribution="DermQuest contributors; Sun et al. 2016",
    access="agreement",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=20600,
    status="contract test",
    files=(SourceFile(name="sd-260.zip", role="images"),),
    reader="sources.class_folders",
    options={"skip": ("images",)},
    licence_claims=(),
    groups=(),
    overlaps=("sd198",),
    traps=(
        "the later, larger release: contains SD-198 images under the same file names",
        "the images are from DermQuest, which is gone: no statement of rights, nothing is released",
        "156 near-duplicates were found in its 128-class part",
        "count and layout: confirm with the authors",
    ),
)
