"""MILK10k: paired clinical and dermoscopic images: the archive's own schema, read by `sources.isic`."""

from sources.entry import ArchiveQuery, Source, SourceFile
from sources.record import ToneSystem

SOURCE = Source(
    name="milk10k",
    title="MILK10k: paired clinical and dermoscopic images",
    version="archive-snapshot",
    url="https://www.isic-archive.com",
    citation="Tschandl P et al., ISIC Archive (2025).",
    licence_id="CC-BY-NC-4.0",
    attribution="MILK study team, ISIC Archive",
    access="open",
    modality=None,
    published_images=10_480,
    status="contract test",
    files=(SourceFile(name="metadata.csv", role="table"),),
    linked=True,
    query=ArchiveQuery(collections=("MILK10k",)),
    reader="sources.isic",
    groups=("lesion_id",),
    skin_tone=(ToneSystem.FITZPATRICK,),
    overlaps=("isic_archive",),
    traps=(
        "a close-up and a dermoscopic image of each of 5,240 lesions: the pair stays in one split",
        "licence: confirm on the collection's page",
    ),
)
