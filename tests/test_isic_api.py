"""The ISIC Archive's API on a local server: paging, collections by name, restart at a page, expired addresses, and the records."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pipelines import gather
from sources import catalogue, download, isic_api, upstream
from sources.entry import ArchiveQuery
from sources.isic import region
from sources.record import Modality


def _module(name: str):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


made, server = _module("made"), _module("server")
IMAGES = 7


def result(n: int, address: str, **clinical: object) -> dict:
    kinds = ("dermoscopic", "clinical: close-up", "RCM: tile")
    return {
        "isic_id": f"ISIC_{n:07d}",
        "copyright_license": ("CC-0", "CC-BY", "CC-BY-NC")[n % 3],
        "attribution": "Hospital Italiano de Buenos Aires",
        "files": {"full": {"url": f"{address}/signed/{n}.jpg?sig=old", "size": 1}},
        "metadata": {
            "acquisition": {"image_type": kinds[n % 3], "pixels_x": 64},
            "clinical": {
                "age_approx": 85,
                "sex": "female",
                "anatom_site_1": "Upper extremity",
                "anatom_site_2": "Hand",
                "diagnosis_1": "Benign",
                "diagnosis_2": "Benign melanocytic proliferations",
                "diagnosis_3": "Nevus",
                "diagnosis_confirm_type": "serial imaging showing no change",
                "fitzpatrick_skin_type": "III",
                "patient_id": "IP_1",
                "lesion_id": f"IL_{n // 2}",
                **clinical,
            },
        },
    }


class Archive:
    """Two images a page; addresses of images with `sig=old` are refused."""

    def __init__(self) -> None:
        self.site = server.Site()
        self.site.answer = self.answer
        self.address = ""
        self.dead: set[int] = set()

    def answer(self, path: str) -> tuple[int, bytes]:
        parts = urlsplit(path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/collections/":
            names = {"1": "HIBA Skin Lesions", "2": "Hospital Italiano de Buenos Aires 2019", "70": "Challenge 2020: Training"}
            return self._json({"results": [{"id": int(i), "name": n} for i, n in names.items()], "next": None})
        if parts.path == "/images/search/":
            at = int(asked.get("cursor", 0))
            following = f"{self.address}/images/search/?cursor={at + 2}" if at + 2 < IMAGES else None
            found = [result(n, self.address) for n in range(at, min(at + 2, IMAGES))]
            return self._json({"count": IMAGES, "next": following, "results": found})
        number = int("".join(c for c in parts.path.split("/")[2].split(".")[0] if c.isdigit()))
        if parts.path.startswith("/images/"):
            fresh = result(number, self.address)
            fresh["files"]["full"]["url"] = fresh["files"]["full"]["url"].replace("old", "new")
            return self._json(fresh)
        if number in self.dead or asked.get("sig") == "old":
            return 403, b"expired"
        return 200, made.picture(number)

    def _json(self, value: object) -> tuple[int, bytes]:
        return 200, json.dumps(value).encode()


@pytest.fixture
def archive(monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)
    download.client.cache_clear()
    archive = Archive()
    with server.serving(archive.site) as address:
        archive.address = address
        yield archive


def hiba(archive: Archive, **query: object):
    query = {"collections": ("Hospital Italiano",), "api": archive.address} | query
    return replace(catalogue.source("hiba"), query=ArchiveQuery(**query))


def test_pages_become_one_table_and_images_are_asked_for_afresh_when_addresses_expired(archive, tmp_path):
    archive.dead = {4}
    entry = hiba(archive)
    got = gather.gather(entry, mirror=None, cache=str(tmp_path))
    assert next(path for path, _ in archive.site.asked if "search" in path).endswith("collections=2&limit=100")
    read = gather.read(entry, got)
    records = {record.native_id: record for record in read.records}
    assert set(records) == {f"ISIC_{n:07d}" for n in (0, 1, 3, 6)}  # 2 and 5 are confocal microscopy
    assert sorted((r.native_id[-1], r.reason) for r in read.rejects if r.reason == "link_dead") == [("4", "link_dead")]
    assert sum(r.reason == "not_a_photograph" for r in read.rejects) == 2
    first, second = records["ISIC_0000000"], records["ISIC_0000001"]
    assert (first.modality, second.modality) == (Modality.DERMOSCOPIC, Modality.CLINICAL_CLOSE_UP)
    assert (first.licence_id, second.licence_id) == ("CC0-1.0", "CC-BY-4.0")
    assert (first.diagnosis_raw, first.body_site, first.diagnosis_basis) == ("Nevus", "upper_limb", "follow-up")
    assert first.lesion_id == second.lesion_id == "IL_0" and first.patient_id == "IP_1"
    assert first.skin_tones[0].value == "III" and first.archive_id == "ISIC_0000000"


def test_a_second_gather_asks_for_nothing(archive, tmp_path):
    gather.gather(hiba(archive), mirror=None, cache=str(tmp_path))
    asked = len(archive.site.asked)
    again = gather.gather(hiba(archive), mirror=None, cache=str(tmp_path))
    assert len(archive.site.asked) == asked and not again.dead


def test_a_snapshot_goes_on_after_the_last_whole_page(archive, tmp_path, monkeypatch):
    seen = 0

    def broken(*args: object, **kwargs: object):
        nonlocal seen
        seen += 1
        if seen > 2:
            raise download.GivenUp("the line is dead")
        return real(*args, **kwargs)

    real = isic_api.get_json
    monkeypatch.setattr(isic_api, "get_json", broken)
    query = ArchiveQuery(api=archive.address)
    with pytest.raises(download.GivenUp):
        isic_api.snapshot(query, str(tmp_path))
    assert not (tmp_path / "metadata.csv").exists()
    monkeypatch.setattr(isic_api, "get_json", real)
    archive.site.asked.clear()
    table = isic_api.snapshot(query, str(tmp_path))
    assert archive.site.asked[0][0].endswith("cursor=4")
    assert len(list(isic_api.links(table))) == IMAGES


def test_too_many_requests_are_waited_for(archive, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    archive.site.faults.extend(["status:429:5", "", "status:503"])
    isic_api.snapshot(ArchiveQuery(api=archive.address), str(tmp_path))
    assert pauses[0] == 5 and len(pauses) == 2


def test_a_collection_that_is_not_one_is_an_error_that_lists_what_there_is(archive, tmp_path):
    with pytest.raises(isic_api.QueryFailed, match=r"'nowhere'.*none"):
        isic_api.snapshot(ArchiveQuery(collections=("nowhere",), api=archive.address), str(tmp_path))
    with pytest.raises(isic_api.QueryFailed, match=r"1: HIBA.*2: Hospital"):
        isic_api.snapshot(ArchiveQuery(collections=("h",), api=archive.address), str(tmp_path / "b"))
    assert isic_api.count(ArchiveQuery(collections=("70",), api=archive.address)) == IMAGES


def test_an_archive_that_grew_is_reported(archive, tmp_path):
    entry = hiba(archive)
    gather.gather(entry, mirror=None, cache=str(tmp_path))
    assert upstream.changes(entry, str(tmp_path)) == []
    table = tmp_path / "hiba" / "metadata.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    assert upstream.changes(entry, str(tmp_path)) == ["hiba: 6 images in the snapshot, 7 in the archive"]


def test_the_environment_chooses_a_part_of_the_archive(monkeypatch):
    monkeypatch.setenv("DERMOFORGE_ISIC_COLLECTIONS", "70, HIBA")
    monkeypatch.setenv("DERMOFORGE_ISIC_SEARCH", "sex:male")
    query = catalogue.source("isic_archive").query
    assert query and query.collections == ("70", "HIBA") and query.search == "sex:male"
    assert catalogue.source("hiba").query == catalogue.SOURCES["hiba"].query


def test_every_anatomic_site_of_the_archive_is_placed_or_knowingly_not(real_data):
    sites = json.loads((real_data / "vocabularies/isic_anatom_site_hierarchy.json").read_text())["values"]
    nowhere = [site for site in sites if region(site) is None]
    assert not nowhere
    assert region("Lower extremity:Buttock:Gluteal fold") == "gluteal_buttocks"
    assert region("Trunk:Lateral trunk:Axilla:Apex of axilla") == "shoulder_axilla"
    assert region("Anogenital region:Perianal region") == "groin_genital_perineum"


def test_older_exports_with_flat_columns_and_images_already_here(tmp_path):
    folder = tmp_path / "hiba"
    rows = [
        dict(isic_id="ISIC_1", attribution="A", copyright_license="CC-BY", age_approx="85+", sex="male", diagnosis="nevus"),
        dict(isic_id="ISIC_2", attribution="", copyright_license="", age_approx="", sex="", diagnosis=""),
    ]
    for row in rows:
        row |= {"anatom_site_general": "palms/soles", "image_type": "clinical: overview", "fitzpatrick_skin_type": ""}
    made.written(folder / "metadata.csv", made.table(rows))
    made.zipped(folder / "images.zip", {f"ISIC_{n}.JPG": made.picture(n) for n in (1, 2)})
    entry = catalogue.source("hiba")
    read = gather.read(entry, gather.gather(entry, mirror=str(tmp_path), cache="unused"))
    first, second = read.records
    assert (first.age_years, first.age_is_floor, first.diagnosis_raw) == (85, True, "nevus")
    assert first.modality is Modality.CLINICAL_OVERVIEW and second.licence_id == entry.licence_id
    assert second.attribution == entry.attribution and not read.rejects
