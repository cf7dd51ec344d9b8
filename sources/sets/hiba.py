"""HIBA: Hospital Italiano de Buenos Aires skin lesions: the archive's own schema, read by `sources.isic`."""

from sources.entry import ArchiveQuery, Source, SourceFile
from sources.record import ToneSystem

SOURCE = Source(
    name="hiba",
    title="HIBA: Hospital Italiano de Buenos Aires skin lesions",
    version="archive-snapshot",
    url="https://doi.org/10.1038/s41597-023-02630-0",
    citation="Ricci Lara M A et al. Sci Data 10, 712 (2023).",
    licence_id="CC-BY-4.0",
    attribution="Hospital Italiano de Buenos Aires; Ricci Lara et al. 2023",
    access="open",
    modality=None,
    published_images=1_616,
    status="contract test",
    files=(SourceFile(name="metadata.csv", role="table"),),
    linked=True,
    query=ArchiveQuery(collections=("Hospital Italiano de Buenos Aires",)),
    reader="sources.isic",
    groups=("patient_id", "lesion_id"),
    skin_tone=(ToneSystem.FITZPATRICK,),
    overlaps=("isic_archive",),
    traps=(
        "dermoscopic and clinical images of one lesion: modality is each image's own, the lesion stays in one split",
        "count and licence: confirm on the collection's page",
    ),
)
