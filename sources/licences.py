"""What each licence permits, the stricter of two, and what each profile of a release takes. An unknown licence permits nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Profile = Literal["open", "noncommercial", "annotations-only"]
PROFILES: tuple[Profile, ...] = get_args(Profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The permissions a release decides on; `attribution` and `share_alike` are duties that travel with the images.

    `annotations`: text about the images may be published without them. A contract that is signed for each user (`agreement`) permits
    no more than it says, and nobody has read it for this table: it permits nothing. Licences form a lattice: one is stricter than
    another when it permits nothing more and demands nothing less.
    """

    id: str
    name: str
    url: str = ""
    redistribute: bool = False
    derivatives: bool = False
    commercial: bool = False
    share_alike: bool = False
    attribution: bool = True
    agreement: bool = False
    annotations: bool = False

    @property
    def grants(self) -> tuple[bool, ...]:
        """What is free: redistribution, derivatives, commercial use, own terms for derivatives, no credit, no agreement, annotations."""
        duties = (not self.share_alike, not self.attribution, not self.agreement)
        return (self.redistribute, self.derivatives, self.commercial, *duties, self.annotations)

    def permits(self) -> str:
        """The permissions and duties in words, for tables."""
        if not self.redistribute and self.annotations:
            return "text about the images, never the images"
        if not self.redistribute:
            return "nothing without an agreement" if self.agreement else "nothing"
        words = ["share"]
        words += ["adapt"] * self.derivatives + ["sell"] * self.commercial
        duties = ["credit"] * self.attribution + ["same terms"] * self.share_alike
        return ", ".join(words) + (f"; with {', '.join(duties)}" if duties else "")


def _free(id_: str, name: str, url: str, *, commercial: bool = True, share_alike: bool = False, credit: bool = True) -> Licence:
    return Licence(
        id=id_,
        name=name,
        url=url,
        redistribute=True,
        derivatives=True,
        annotations=True,
        commercial=commercial,
        share_alike=share_alike,
        attribution=credit,
    )


_CC = "https://creativecommons.org"
CONFLICTING = "LicenseRef-Conflicting"

LICENCES: dict[str, Licence] = {
    licence.id: licence
    for licence in (
        _free("CC0-1.0", "Creative Commons Zero 1.0", f"{_CC}/publicdomain/zero/1.0/", credit=False),
        _free("CC-BY-4.0", "Creative Commons Attribution 4.0", f"{_CC}/licenses/by/4.0/"),
        _free(
            "CC-BY-NC-4.0",
            "Creative Commons Attribution-NonCommercial 4.0",
            f"{_CC}/licenses/by-nc/4.0/",
            commercial=False,
        ),
        _free(
            "CC-BY-NC-SA-3.0",
            "Creative Commons Attribution-NonCommercial-ShareAlike 3.0",
            f"{_CC}/licenses/by-nc-sa/3.0/",
            commercial=False,
            share_alike=True,
        ),
        _free(
            "CC-BY-NC-SA-4.0",
            "Creative Commons Attribution-NonCommercial-ShareAlike 4.0",
            f"{_CC}/licenses/by-nc-sa/4.0/",
            commercial=False,
            share_alike=True,
        ),
        Licence(
            id="CC-BY-NC-ND-4.0",
            name="Creative Commons Attribution-NonCommercial-NoDerivatives 4.0",
            url=f"{_CC}/licenses/by-nc-nd/4.0/",
            redistribute=True,
            annotations=True,
        ),
        _free(
            "LicenseRef-SCIN-Data-Use",
            "SCIN Data Use License: share and adapt with attribution, never re-identify",
            "https://github.com/google-research-datasets/scin",
        ),
        Licence(
            id="LicenseRef-PASSION",
            name="PASSION Data Public License: on request, not commercial, only the website link may be shared",
            url="https://passionderm.github.io",
            agreement=True,
        ),
        Licence(
            id="LicenseRef-Stanford-AIMI",
            name="Stanford AIMI research use agreement: no redistribution",
            url="https://aimi.stanford.edu/shared-datasets",
            agreement=True,
        ),
        Licence(
            id="LicenseRef-Research-Only",
            name="Research use under an agreement with the owner",
            agreement=True,
        ),
        Licence(
            id="LicenseRef-ISIC-Mixed",
            name="ISIC Archive images whose own licence and attribution were lost in a repackaged copy",
            url="https://www.isic-archive.com/terms-of-use",
            annotations=True,
        ),
        Licence(
            id="LicenseRef-No-Clear-Rights",
            name="Images collected by others without a statement of rights",
            annotations=True,
        ),
        Licence(id="LicenseRef-Own", name="A set of your own: nothing leaves your lake", agreement=True),
        Licence(id=CONFLICTING, name="Statements that contradict each other in both directions"),
    )
}


def strictest(licence_ids: Iterable[str]) -> str:
    """The licence among several statements about the same images that permits least; unknown statements permit nothing.

    When no statement is at least as strict as all others, `LicenseRef-Conflicting`, which permits nothing.
    """
    ids = sorted(set(licence_ids))
    unknown = [i for i in ids if i not in LICENCES]
    if unknown:
        return unknown[0]
    closed = [i for i in ids if not LICENCES[i].redistribute]
    if closed:
        return min(closed, key=lambda i: (sum(LICENCES[i].grants), i))
    for candidate in ids:
        mine = LICENCES[candidate].grants
        if all(g <= o for other in ids for g, o in zip(mine, LICENCES[other].grants, strict=True)):
            return candidate
    return CONFLICTING


def may_release(licence_id: str | None, profile: Profile) -> bool:
    """Whether rows about an image may be in a release of `profile`, with the image where the profile carries images.

    `noncommercial`: the image may be redistributed and changed; `open`: also sold; `annotations-only`: text about it may be published.
    False for an unknown or missing licence. Raises ValueError for an unknown profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"unknown release profile {profile!r}: choose {', '.join(PROFILES)}")
    licence = LICENCES.get(licence_id or "")
    if licence is None or licence.agreement:
        return False
    if not carries_images(profile):
        return licence.annotations
    return licence.redistribute and licence.derivatives and (licence.commercial or profile == "noncommercial")


def carries_images(profile: Profile) -> bool:
    """Whether a release of the profile holds image bytes."""
    return profile in ("open", "noncommercial")


def openness(licence_id: str | None) -> int:
    """How much a licence permits, 0 to 7: among equal copies the most permissive one survives."""
    licence = LICENCES.get(licence_id or "")
    return sum(licence.grants) if licence else 0


_ISIC = {"CC-0": "CC0-1.0", "CC-BY": "CC-BY-4.0", "CC-BY-NC": "CC-BY-NC-4.0"}


def isic_licence(text: str) -> str:
    """The licence id of an ISIC Archive `copyright_license`; an unknown or empty one permits nothing."""
    return _ISIC.get(text.strip().upper(), "LicenseRef-ISIC-Mixed")
