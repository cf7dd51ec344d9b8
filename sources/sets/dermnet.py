"""DermNet as packed on Kaggle: `train/<class>/*.jpg` and `test/<class>/*.jpg`, 23 classes."""

from sources.entry import Source, SourceFile
from sources.record import Modality

SOURCE = Source(
    name="dermnet",
    title="DermNet photographs of 23 groups (repackaged)",
    version="kaggle",
    url="https://dermnetnz.org",
    citation="DermNet NZ; packed by a third party.",
    licence_id="CC-BY-NC-ND-4.0",
    attribution="DermNet NZ, https://dermnetnz.org",
    access="registration",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=19500,
    status="contract test",
    files=(SourceFile(name="dermnet.zip", role="images"),),
    reader="sources.class_folders",
    options={"parts": ("train", "test")},
    licence_claims=(),
    groups=(),
    overlaps=(),
    traps=(
        "the licence allows no derivatives: nothing is released",
        "watermarks on the images",
        "copies across train and test",
        "a class is a group of diseases: it stays a group",
        "count and licence: confirm on the page",
    ),
)
