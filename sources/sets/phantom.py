"""The drawn phantoms: the entry; what is drawn, and how, is in `sources.phantom`."""

from sources.entry import Source
from sources.phantom import ATTRIBUTION, LICENCE
from sources.record import Modality, ToneSystem

SOURCE = Source(
    name="phantom",
    title="DermoForge phantoms: drawn lesions with known morphology",
    version="2",
    url="https://creativecommons.org/publicdomain/zero/1.0/",
    citation="Drawn by this project.",
    licence_id=LICENCE,
    attribution=ATTRIBUTION,
    access="built-in",
    modality=Modality.DERMOSCOPIC,
    published_images=365,
    status="drawn",
    reader="sources.phantom",
    groups=("patient_id", "lesion_id"),
    skin_tone=(ToneSystem.DRAWN,),
    traps=("never mixed into a release of real images",),
)
