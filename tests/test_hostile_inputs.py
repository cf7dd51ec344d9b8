"""Hostile files through the ordinary ingest: each ends in `quarantine` with its reason or in an error that names the file."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.ingest import SourceTooDamaged, ingest
from pipelines.lake import Lake
from sources.fetch import SourceUnavailable
from sources.tables import MetadataError

HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"


def picture(seed: int = 0, size: tuple[int, int] = (64, 80)) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **how) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def bomb() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 90_001)) + chunk(b"IEND", b"")


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture(9), exif=exif)


BAD = {
    "truncated": (encoded(picture(1))[:900], "truncated", False),
    "zero": (b"", "empty_file", False),
    "html": (b"<html>not found</html>", "not_an_image", False),
    "bomb": (bomb(), "bomb", False),
    "tiny": (encoded(picture(2, (8, 8))), "too_small", False),
    "blank": (encoded(Image.new("RGB", (64, 64), "white")), "blank", False),
    "png_as_jpg": (encoded(picture(3), "PNG"), "extension_mismatch", True),
    "cmyk": (encoded(picture(4).convert("CMYK")), "cmyk", True),
    "sixteen": (encoded(Image.fromarray(np.arange(6400, dtype=np.uint16).reshape(80, 80) * 10), "PNG"), "sixteen_bit", True),
    "exif": (rotated(), "exif_rotated", True),
    "seethrough": (
        encoded(Image.fromarray(np.random.default_rng(5).integers(0, 255, (64, 64, 4), dtype=np.uint8)), "PNG"),
        "alpha",
        True,
    ),
}


def mirror(tmp_path: Path, members: dict[str, bytes], rows: list[str], *, raw_table: bytes | None = None) -> str:
    """A HAM10000 mirror with the given archive members and metadata rows, padded with good images so that the source passes."""
    folder = tmp_path / "mirror" / "ham10000"
    folder.mkdir(parents=True)
    good = {f"good{n:03d}.jpg": encoded(picture(100 + n)) for n in range(60)}
    with zipfile.ZipFile(folder / "HAM10000_images_part_1.zip", "w") as archive:
        for name, data in {**good, **members}.items():
            archive.writestr(name, data)
    with zipfile.ZipFile(folder / "HAM10000_images_part_2.zip", "w") as archive:
        archive.writestr("other.jpg", encoded(picture(99)))
    lines = [HEADER, *(f"H{n},good{n:03d},nv,histo,50,male,back" for n in range(60)), "H99,other,nv,histo,50,male,back", *rows]
    (folder / "HAM10000_metadata.csv").write_bytes(raw_table or "\n".join(lines).encode())
    return str(tmp_path / "mirror")


def row(image_id: str, age: str = "50") -> str:
    return f"L_{image_id},{image_id},nv,histo,{age},male,back"


def quarantine(lake: Lake) -> list[dict]:
    return lake.read("quarantine", source="ham10000").to_pylist()


def image_ids(lake: Lake) -> set[str]:
    return set(lake.read("images", source="ham10000").column("native_id").to_pylist())


def test_every_bad_image_has_its_reason_and_every_mended_one_is_kept(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    where = mirror(tmp_path, {f"{name}.jpg": data for name, (data, _, _) in BAD.items()}, [row(name) for name in BAD])
    done = ingest(lake, "ham10000", mirror=where)
    found = {
        r["native_id"]: (r["reason"], r["repaired"])
        for r in quarantine(lake)
        if r["reason"] != "extension_mismatch" or r["native_id"] == "png_as_jpg"
    }
    assert found == {name: (reason, repaired) for name, (_, reason, repaired) in BAD.items()}
    assert image_ids(lake) & set(BAD) == {name for name, (_, _, repaired) in BAD.items() if repaired}
    assert done.dropped == sum(not repaired for _, _, repaired in BAD.values())


def test_a_rotated_image_is_stored_upright_and_a_png_under_its_true_format(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    ingest(
        lake,
        "ham10000",
        mirror=mirror(tmp_path, {"exif.jpg": rotated(), "p.jpg": BAD["png_as_jpg"][0]}, [row("exif"), row("p")]),
    )
    rows = {r["native_id"]: r for r in lake.read("images", source="ham10000").to_pylist()}
    assert (rows["exif"]["width"], rows["exif"]["height"]) == (64, 80)
    assert rows["p"]["format"] == "PNG"


def test_members_that_leave_the_archive_or_are_links_are_refused(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    where = mirror(tmp_path, {}, [row("escape"), row("link")])
    path = Path(where) / "ham10000" / "HAM10000_images_part_1.zip"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../escape.jpg", encoded(picture(7)))
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("inner.zip", b"PK\x03\x04")
    ingest(lake, "ham10000", mirror=where)
    reasons = {(r["member"], r["reason"]) for r in quarantine(lake)}
    assert {("../../escape.jpg", "member_unsafe"), ("link.jpg", "member_unsafe"), ("inner.zip", "nested_archive")} <= reasons
    assert {r["native_id"] for r in quarantine(lake) if r["reason"] == "row_without_image"} == {"escape", "link"}
    assert not any(tmp_path.rglob("escape.jpg"))


def test_a_compression_bomb_is_refused_unread(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    where = mirror(tmp_path, {}, [row("zeros")])
    with zipfile.ZipFile(Path(where) / "ham10000" / "HAM10000_images_part_1.zip", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.jpg", bytes(64 << 20))
    ingest(lake, "ham10000", mirror=where)
    assert ("zeros.jpg", "member_too_large") in {(r["member"], r["reason"]) for r in quarantine(lake)}


def test_a_zip_cut_short_still_gives_its_whole_members(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    where = mirror(tmp_path, {}, [])
    path = Path(where) / "ham10000" / "HAM10000_images_part_1.zip"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.85)])
    ingest(lake, "ham10000", mirror=where)
    rows = quarantine(lake)
    assert "archive_damaged" in {r["reason"] for r in rows}
    lost = {r["native_id"] for r in rows if r["reason"] == "row_without_image"}
    assert 40 <= len(image_ids(lake)) < 61
    assert image_ids(lake) | lost == {f"good{n:03d}" for n in range(60)} | {"other"}


def test_a_member_with_a_wrong_checksum_is_quarantined(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    where = mirror(tmp_path, {"hurt.jpg": encoded(picture(8))}, [row("hurt")])
    path = Path(where) / "ham10000" / "HAM10000_images_part_1.zip"
    data = bytearray(path.read_bytes())
    data[data.index(encoded(picture(8))) + 400] ^= 0xFF
    path.write_bytes(bytes(data))
    ingest(lake, "ham10000", mirror=where)
    assert ("hurt", "member_damaged") in {(r["native_id"], r["reason"]) for r in quarantine(lake)}


def test_rows_and_images_without_partner_and_doubled_ids_are_named(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    members = {"orphan.jpg": encoded(picture(11)), "twice.jpg": encoded(picture(12)), "sub/twice.jpg": encoded(picture(13))}
    rows = [row("missing"), row("twice"), row("twice", age="51"), "L_short,short,nv"]
    ingest(lake, "ham10000", mirror=mirror(tmp_path, members, rows))
    reasons = {(r["native_id"], r["reason"]) for r in quarantine(lake)}
    wanted = {
        ("missing", "row_without_image"),
        ("orphan", "image_without_row"),
        ("twice", "duplicate_row"),
        ("twice", "duplicate_member"),
    }
    assert wanted <= reasons
    assert ("L_short", "row_malformed") in reasons
    assert any("line 64" in r["detail"] for r in quarantine(lake) if r["reason"] == "duplicate_row")


@pytest.mark.parametrize(
    ("text", "years", "is_floor", "understood"),
    [
        ("NaN", None, False, True),
        ("85+", 85.0, True, True),
        ("unknown", None, False, True),
        ("", None, False, True),
        ("-3", None, False, False),
        ("abc", None, False, False),
    ],
)
def test_odd_ages_keep_the_image(tmp_path, text, years, is_floor, understood):
    lake = Lake(str(tmp_path / "lake"))
    ingest(lake, "ham10000", mirror=mirror(tmp_path, {"x.jpg": encoded(picture(14))}, [row("x", age=text)]))
    found = next(r for r in lake.read("images", source="ham10000").to_pylist() if r["native_id"] == "x")
    assert (found["age_years"], found["age_is_floor"]) == (years, is_floor)
    assert (("x", "field_unparsed") not in {(r["native_id"], r["reason"]) for r in quarantine(lake)}) == understood


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "latin-1"])
def test_tables_in_other_encodings_are_read(tmp_path, codec):
    lake = Lake(str(tmp_path / "lake"))
    rows = [HEADER, *(f"H{n},good{n:03d},nv,histo,50,male,Rücken" for n in range(60)), "H99,other,nv,histo,50,male,back"]
    ingest(lake, "ham10000", mirror=mirror(tmp_path, {}, [], raw_table="\r\n".join(rows).encode(codec)))
    assert len(image_ids(lake)) == 61
    assert lake.read("images").column("body_site_raw").to_pylist().count("Rücken") == 60
    assert ("encoding" in {r["reason"] for r in quarantine(lake)}) == (codec == "latin-1")


@pytest.mark.parametrize("table", [b"   ", b"PK\x03\x04zipped", b"image_id,image_id\na,b\n", b"lesion_id,image\nx,y\n"])
def test_a_table_that_cannot_be_used_is_an_error_that_names_it(tmp_path, table):
    with pytest.raises(MetadataError, match=r"HAM10000_metadata\.csv"):
        ingest(Lake(str(tmp_path / "lake")), "ham10000", mirror=mirror(tmp_path, {}, [], raw_table=table))


def test_a_source_that_is_mostly_bad_fails_loudly_after_keeping_the_reasons(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    rows = [row(f"gone{n}") for n in range(40)]
    with pytest.raises(SourceTooDamaged, match=r"40 of 101 inputs fell out.*row_without_image"):
        ingest(lake, "ham10000", mirror=mirror(tmp_path, {}, rows))
    assert len(quarantine(lake)) == 40


def test_a_missing_archive_says_where_to_get_it(tmp_path):
    where = mirror(tmp_path, {}, [])
    (Path(where) / "ham10000" / "HAM10000_images_part_2.zip").unlink()
    with pytest.raises(SourceUnavailable, match=r"HAM10000_images_part_2\.zip.*doi\.org.*DERMOFORGE_MIRROR"):
        ingest(Lake(str(tmp_path / "lake")), "ham10000", mirror=where, cache=str(tmp_path / "cache"))


def test_unchanged_files_are_not_read_again_and_changed_ones_are(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    where = mirror(tmp_path, {}, [])
    assert not ingest(lake, "ham10000", mirror=where).skipped
    version = lake.version("images")
    assert ingest(lake, "ham10000", mirror=where).skipped
    assert lake.version("images") == version
    with zipfile.ZipFile(Path(where) / "ham10000" / "HAM10000_images_part_2.zip", "a") as archive:
        archive.writestr("late.jpg", encoded(picture(50)))
    assert not ingest(lake, "ham10000", mirror=where).skipped
    assert ("late", "image_without_row") in {(r["native_id"], r["reason"]) for r in quarantine(lake)}
