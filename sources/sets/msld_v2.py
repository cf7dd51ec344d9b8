"""Mpox Skin Lesion Dataset 2.0: `Original Images/Fold1/Train/<class>/<CODE>_<patient>_<n>.jpg`, `Augmented Images/…` beside it."""

from sources.entry import Source, SourceFile
from sources.record import Modality

SOURCE = Source(
    name="msld_v2",
    title="Mpox Skin Lesion Dataset 2.0 (MSLD v2)",
    version="2.0",
    url="https://www.kaggle.com/datasets/joydippaul/mpox-skin-lesion-dataset-version-20-msld-v20",
    citation="Ali S N et al. arXiv:2306.14169 (2023).",
    licence_id="LicenseRef-No-Clear-Rights",
    attribution="MSLD v2.0, Bangladesh University of Engineering and Technology; Ali et al. 2023",
    access="registration",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=755,
    status="contract test",
    files=(SourceFile(name="msld_v2.zip", role="images"),),
    reader="sources.class_folders",
    options={
        "parts": ("fold1", "fold2", "fold3", "fold4", "fold5"),
        "skip": ("original images", "augmented images", "train", "test", "validation", "val", "msld_v2.0", "folds"),
        "patient": r"^([A-Za-z]+_\d+)_\d+",
        "copy": r"^([A-Za-z]+_\d+_\d+)",
    },
    licence_claims=(),
    groups=("patient_id",),
    overlaps=(),
    traps=(
        "collected from the web: no statement of rights for the images, nothing is released",
        "the same image stands in each of five folds, and augmented copies stand beside the originals: one family each",
        "patient number in the file name",
        "licence: confirm on the page",
    ),
)
