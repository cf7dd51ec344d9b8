"""MSKCC images of the ISIC Archive: the archive's own schema, read by `sources.isic`."""

from sources.entry import ArchiveQuery, Source, SourceFile
from sources.record import ToneSystem

SOURCE = Source(
    name="msk",
    title="MSKCC images of the ISIC Archive",
    version="archive-snapshot",
    url="https://www.isic-archive.com",
    citation="Memorial Sloan Kettering Cancer Center, through the ISIC Archive.",
    licence_id="LicenseRef-ISIC-Mixed",
    attribution="Memorial Sloan Kettering Cancer Center",
    access="open",
    modality=None,
    published_images=None,
    status="contract test",
    files=(SourceFile(name="metadata.csv", role="table"),),
    linked=True,
    query=ArchiveQuery(collections=("MSK",)),
    reader="sources.isic",
    groups=("patient_id", "lesion_id"),
    skin_tone=(ToneSystem.FITZPATRICK,),
    overlaps=("isic_archive",),
    traps=(
        "part of several challenges: its archive ids join it to them",
        "licence and modality are each image's own",
        "the collection's exact name: confirm with the archive; a number in DERMOFORGE_ISIC_COLLECTIONS overrides it",
    ),
)
