"""MED-NODE: `complete_mednode_dataset/{melanoma,naevus}/*.jpg` as published."""

from sources.entry import Source, SourceFile
from sources.record import Modality

SOURCE = Source(
    name="med_node",
    title="MED-NODE: melanoma and naevus photographs",
    version="2015",
    url="https://www.cs.rug.nl/~imaging/databases/melanoma_naevi/",
    citation="Giotis I et al. Expert Syst Appl 42, 6578 (2015).",
    licence_id="LicenseRef-Research-Only",
    attribution="MED-NODE, University of Groningen; Giotis et al. 2015",
    access="open",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=170,
    status="contract test",
    files=(
        SourceFile(
            name="complete_mednode_dataset.zip",
            role="images",
            url="https://www.cs.rug.nl/~imaging/databases/melanoma_naevi/complete_mednode_dataset.zip",
        ),
    ),
    reader="sources.class_folders",
    options={},
    licence_claims=(),
    groups=(),
    overlaps=(),
    traps=(
        "3 irrelevant images, 1 duplicate and 2 label errors were found by others",
        "no patient or lesion ids",
        "terms: research; confirm on the page",
    ),
)
