"""What each licence permits. A licence that is not in this table permits nothing."""

from dataclasses import dataclass
from typing import Literal

Profile = Literal["open", "noncommercial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The permissions a release decides on; `attribution` and `share_alike` are duties that travel with the images."""

    id: str
    name: str
    url: str
    redistribute: bool
    derivatives: bool
    commercial: bool
    share_alike: bool = False
    attribution: bool = True
    agreement: bool = False


_CC = "https://creativecommons.org"

LICENCES: dict[str, Licence] = {
    licence.id: licence
    for licence in (
        Licence(
            id="CC0-1.0",
            name="Creative Commons Zero 1.0",
            url=f"{_CC}/publicdomain/zero/1.0/",
            redistribute=True,
            derivatives=True,
            commercial=True,
            attribution=False,
        ),
        Licence(
            id="CC-BY-4.0",
            name="Creative Commons Attribution 4.0",
            url=f"{_CC}/licenses/by/4.0/",
            redistribute=True,
            derivatives=True,
            commercial=True,
        ),
        Licence(
            id="CC-BY-NC-4.0",
            name="Creative Commons Attribution-NonCommercial 4.0",
            url=f"{_CC}/licenses/by-nc/4.0/",
            redistribute=True,
            derivatives=True,
            commercial=False,
        ),
        Licence(
            id="CC-BY-NC-SA-3.0",
            name="Creative Commons Attribution-NonCommercial-ShareAlike 3.0",
            url=f"{_CC}/licenses/by-nc-sa/3.0/",
            redistribute=True,
            derivatives=True,
            commercial=False,
            share_alike=True,
        ),
        Licence(
            id="CC-BY-NC-SA-4.0",
            name="Creative Commons Attribution-NonCommercial-ShareAlike 4.0",
            url=f"{_CC}/licenses/by-nc-sa/4.0/",
            redistribute=True,
            derivatives=True,
            commercial=False,
            share_alike=True,
        ),
        Licence(
            id="LicenseRef-ISIC-Mixed",
            name="ISIC Archive images whose own licence and attribution were lost in a repackaged copy",
            url="https://www.isic-archive.com/terms-of-use",
            redistribute=False,
            derivatives=False,
            commercial=False,
        ),
        Licence(
            id="LicenseRef-Research-Only",
            name="Research use under an agreement with the owner",
            url="",
            redistribute=False,
            derivatives=False,
            commercial=False,
            agreement=True,
        ),
    )
}


def may_release(licence_id: str | None, profile: Profile) -> bool:
    """Whether an image may be in a release of `profile`: redistributable with derivatives, and for `open` also commercially.

    False for an unknown or missing licence. Raises ValueError for an unknown profile.
    """
    if profile not in ("open", "noncommercial"):
        raise ValueError(f"unknown release profile {profile!r}: choose open or noncommercial")
    licence = LICENCES.get(licence_id or "")
    if licence is None or licence.agreement or not (licence.redistribute and licence.derivatives):
        return False
    return licence.commercial or profile == "noncommercial"


def openness(licence_id: str | None) -> int:
    """How much a licence permits, 0 to 5: among equal copies the most permissive one survives."""
    licence = LICENCES.get(licence_id or "")
    if licence is None:
        return 0
    grants = (
        licence.redistribute,
        licence.derivatives,
        licence.commercial,
        not licence.share_alike,
        not licence.agreement,
    )
    return sum(grants)
