"""ISIC Archive, by its API: the archive's own schema, read by `sources.isic`."""

from sources.entry import ArchiveQuery, Source, SourceFile
from sources.record import ToneSystem

SOURCE = Source(
    name="isic_archive",
    title="ISIC Archive, by its API",
    version="archive-snapshot",
    url="https://www.isic-archive.com",
    citation="International Skin Imaging Collaboration.",
    licence_id="LicenseRef-ISIC-Mixed",
    attribution="ISIC Archive contributors",
    access="open",
    modality=None,
    published_images=None,
    status="contract test",
    files=(SourceFile(name="metadata.csv", role="table"),),
    linked=True,
    query=ArchiveQuery(collections=()),
    reader="sources.isic",
    groups=("patient_id", "lesion_id"),
    skin_tone=(ToneSystem.FITZPATRICK,),
    overlaps=("ham10000", "bcn20000", "isic2018", "isic2019", "isic2020", "isic2024", "hiba", "msk", "milk10k"),
    traps=(
        "licence and attribution are each image's own; an image without one is never released",
        "the same image is in many collections, and whole challenges are inside: its archive id joins it to every other set",
        "DERMOFORGE_ISIC_COLLECTIONS (numbers or parts of names) and DERMOFORGE_ISIC_SEARCH choose a part; without them it is everything",
        "confocal microscopy is set aside: it is no photograph of skin",
        "older rows say diagnosis and benign_malignant, newer ones diagnosis_1 to _5: both are read",
    ),
)
