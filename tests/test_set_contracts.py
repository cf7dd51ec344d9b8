"""Readers of sets that are not here, on small archives in the published layout, each with the traps that its entry names.

Layouts, file and column names are those that the readers' own docstrings cite.
"""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import gather
from pipelines.ingest import SourceTooDamaged, ingest
from pipelines.lake import Lake
from prompts.ontology import load
from sources.catalogue import SOURCES, source
from sources.fetch import SourceUnavailable
from sources.record import DiagnosisBasis, ImageRecord, Modality, ToneSystem

_spec = importlib.util.spec_from_file_location("made", Path(__file__).with_name("made.py"))
assert _spec and _spec.loader
made = sys.modules["made"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)
picture, table, written, zipped = made.picture, made.table, made.written, made.zipped


class Read:
    """What a reader made of a mirror: records by native id, (id, reason) of rejects."""

    def __init__(self, name: str, mirror: Path) -> None:
        entry = source(name)
        read = gather.read(entry, gather.gather(entry, mirror=str(mirror), cache=str(mirror / "cache")))
        self.records: dict[str, ImageRecord] = {record.native_id: record for record in read.records}
        self.annotations = {a.image_id: a for a in read.annotations}
        self.rejects = sorted((r.native_id, r.reason) for r in read.rejects)
        self.unmapped = [
            r.diagnosis_raw
            for r in read.records
            if r.diagnosis_raw and load().map_label(name, r.diagnosis_raw).how == "unmapped"
        ]


def test_ham10000_with_a_tab_separated_table(tmp_path):
    zipped(tmp_path / "ham10000/HAM10000_images_part_1.zip", {"ISIC_0000001.jpg": picture(1)})
    zipped(tmp_path / "ham10000/HAM10000_images_part_2.zip", {"ISIC_0000002.jpg": picture(2)})
    rows = [
        dict(lesion_id=f"HAM_{n}", image_id=f"ISIC_000000{n}", dx="nv", dx_type=t, age=a, sex="male", localization="acral")
        for n, t, a in ((1, "histo", "45.0"), (2, "follow_up", "NaN"))
    ]
    written(tmp_path / "ham10000/HAM10000_metadata.tab", table(rows, delimiter="\t"))
    got = Read("ham10000", tmp_path)
    assert not got.rejects and set(got.records) == {"ISIC_0000001", "ISIC_0000002"}
    assert got.records["ISIC_0000001"].diagnosis_basis is DiagnosisBasis.HISTOPATHOLOGY
    assert got.records["ISIC_0000002"].age_years is None
    assert (got.records["ISIC_0000001"].body_site_raw, got.records["ISIC_0000001"].body_site) == ("acral", None)


def test_isic2018_joins_its_three_tasks(tmp_path):
    home = tmp_path / "isic2018"
    seg = "ISIC2018_Task1-2_Training_Input"
    zipped(
        home / f"{seg}.zip",
        {
            f"{seg}/ISIC_0000000.jpg": picture(1),
            f"{seg}/LICENSE.txt": b"terms",
            f"{seg}/ISIC_0000000_superpixels.png": picture(9),
        },
    )
    names = ("pigment_network", "negative_network", "streaks", "milia_like_cyst", "globules")
    masks = {f"t2/ISIC_0000000_attribute_{n}.png": made.mask(n in ("streaks", "globules")) for n in names}
    zipped(home / "ISIC2018_Task2_Training_GroundTruth_v3.zip", masks)
    dx = "ISIC2018_Task3_Training_Input"
    zipped(home / f"{dx}.zip", {f"{dx}/ISIC_0024306.jpg": picture(2), f"{dx}/ISIC_0000000.jpg": picture(1)})
    labels = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
    rows = [{"image": "ISIC_0024306", **dict.fromkeys(labels, "0.0"), "NV": "1.0"}]
    rows += [{"image": "ISIC_0000000", **dict.fromkeys(labels, "0.0"), "MEL": "1.0"}]
    truth = "ISIC2018_Task3_Training_GroundTruth"
    zipped(home / f"{truth}.zip", {f"{truth}/{truth}.csv": table(rows)})
    groups = [{"image": "ISIC_0024306", "lesion_id": "HAM_1", "diagnosis_confirm_type": "serial imaging showing no change"}]
    written(home / "ISIC2018_Task3_Training_LesionGroupings.csv", table(groups))
    got = Read("isic2018", tmp_path)
    assert set(got.records) == {"ISIC_0000000", "ISIC_0024306"}
    assert got.records["ISIC_0000000"].expert_concepts == {"isic2018": ["globules", "streaks"]}
    assert got.records["ISIC_0024306"].lesion_id == "HAM_1"
    assert got.records["ISIC_0024306"].diagnosis_basis is DiagnosisBasis.FOLLOW_UP
    assert got.records["ISIC_0024306"].diagnosis_raw == "NV" and not got.unmapped
    assert ("isic_0000000", "duplicate_member") in got.rejects
    assert any(reason == "not_a_photograph" and "superpixels" in name for name, reason in got.rejects)


def test_isic2019_with_downsampled_names_missing_lesions_and_a_test_part(tmp_path):
    home = tmp_path / "isic2019"
    labels = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
    names = {"ISIC_0000000_downsampled": "NV", "ISIC_0000002": "SCC"}
    zipped(
        home / "ISIC_2019_Training_Input.zip", {f"ISIC_2019_Training_Input/{n}.jpg": picture(i) for i, n in enumerate(names)}
    )
    rows = [{"image": n, **dict.fromkeys(labels, "0.0"), hot: "1.0"} for n, hot in names.items()]
    written(home / "ISIC_2019_Training_GroundTruth.csv", table(rows))
    facts = [
        dict(image="ISIC_0000000_downsampled", age_approx="55", anatom_site_general="palms/soles", lesion_id="", sex="female"),
        dict(image="ISIC_0000002", age_approx="", anatom_site_general="head/neck", lesion_id="BCN_1", sex="male"),
    ]
    written(home / "ISIC_2019_Training_Metadata.csv", table(facts))
    zipped(home / "ISIC_2019_Test_Input.zip", {"ISIC_2019_Test_Input/ISIC_0034321.jpg": picture(9)})
    written(
        home / "ISIC_2019_Test_GroundTruth.csv",
        table([{"image": "ISIC_0034321", **dict.fromkeys(labels, "0.0"), "UNK": "1.0"}]),
    )
    got = Read("isic2019", tmp_path)
    assert not got.rejects and len(got.records) == 3
    first = got.records["ISIC_0000000_downsampled"]
    assert (first.archive_id, first.lesion_id, first.body_site, first.sex) == ("ISIC_0000000", None, None, "female")
    assert got.records["ISIC_0000002"].body_site == "head_neck"
    assert got.records["ISIC_0034321"].diagnosis_raw is None and got.records["ISIC_0034321"].series == "Test"


def test_isic2020_gives_published_duplicates_one_lineage(tmp_path):
    home = tmp_path / "isic2020"
    names = [f"ISIC_{n:07d}" for n in range(4)]
    zipped(home / "ISIC_2020_Training_JPEG.zip", {f"train/{n}.jpg": picture(i) for i, n in enumerate(names)})
    rows = [
        dict(
            image_name=n,
            patient_id=f"IP_{i // 2}",
            lesion_id=f"IL_{i}",
            sex="male",
            age_approx="85.0",
            anatom_site_general_challenge="upper extremity",
            diagnosis=d,
            benign_malignant=b,
            target=int(b == "malignant"),
        )
        for i, (n, d, b) in enumerate(
            zip(
                names, ("unknown", "melanoma", "nevus", "lentigo NOS"), ("benign", "malignant", "benign", "benign"), strict=True
            )
        )
    ]
    written(home / "ISIC_2020_Training_GroundTruth_v2.csv", table(rows))
    pairs = [{"image_name_1": names[0], "image_name_2": names[2]}, {"image_name_1": names[2], "image_name_2": names[3]}]
    written(home / "ISIC_2020_Training_Duplicates.csv", table(pairs))
    got = Read("isic2020", tmp_path)
    assert [got.records[n].lineage for n in names] == [names[0], None, names[0], names[0]]
    assert got.records[names[0]].diagnosis_raw == "benign"  # said no more precisely
    assert got.records[names[1]].patient_id == "IP_0" and got.records[names[1]].lesion_id == "IL_1"
    assert not got.rejects and not got.unmapped


def test_isic2024_never_carries_what_leaks_the_label(tmp_path):
    home = tmp_path / "isic2024"
    zipped(home / "train-image.zip", {f"train-image/image/ISIC_001567{n}.jpg": picture(n) for n in range(3)})
    base = dict(target=0, age_approx="60", sex="male", clin_size_long_diam_mm="3.04", tbp_lv_dnn_lesion_confidence="97.5")
    rows = [
        {
            "isic_id": f"ISIC_001567{n}",
            "patient_id": "IP_1",
            "lesion_id": "",
            "anatom_site_general": "lower extremity",
            **base,
            "attribution": "Memorial Sloan Kettering Cancer Center",
            "copyright_license": licence,
            "iddx_full": full,
            **dict.fromkeys(("iddx_1", "iddx_2", "iddx_3", "iddx_4", "iddx_5"), ""),
            **{f"iddx_{i}": part for i, part in enumerate(full.split("::"), 1)},
            "mel_thick_mm": "0.9",
        }
        for n, (licence, full) in enumerate(
            (
                ("CC-BY", "Benign"),
                ("CC-0", "Malignant::Malignant melanocytic proliferations (Melanoma)::Melanoma in situ"),
                ("", "Benign"),
            )
        )
    ]
    written(home / "train-metadata.csv", table(rows, columns=[*rows[1]]))
    got = Read("isic2024", tmp_path)
    first, second, third = (got.records[f"ISIC_001567{n}"] for n in range(3))
    assert first.modality is Modality.TBP and first.licence_id == "CC-BY-4.0"
    assert second.licence_id == "CC0-1.0" and second.diagnosis_raw == "Melanoma in situ"
    assert second.diagnosis_basis is DiagnosisBasis.HISTOPATHOLOGY and third.licence_id == "CC-BY-NC-4.0"
    assert "97.5" not in str(got.records.values()) and "0.9" not in str(got.records.values())
    assert not got.unmapped and not got.rejects


def test_bcn20000_with_an_unlabelled_test_part(tmp_path):
    home = tmp_path / "bcn20000"
    rows = [
        dict(
            bcn_filename=f"BCN_{n}.jpg",
            age_approx="45.0",
            anatom_site_general="anterior torso",
            diagnosis="BKL",
            lesion_id=f"BCN_L{n}",
            capture_date="2012-05-01",
            sex="female",
            split="train",
        )
        for n in (1, 2)
    ]
    zipped(home / "BCN_20k_train.zip", {f"BCN_20k_train/bcn_20k_train/BCN_{n}.jpg": picture(n) for n in (1, 2)})
    written(home / "bcn_20k_train.csv", table(rows))
    zipped(home / "BCN_20k_test.zip", {"BCN_20k_test/bcn_20k_test/BCN_9.jpg": picture(9)})
    test = {k: v for k, v in {**rows[0], "bcn_filename": "BCN_9.jpg"}.items() if k not in ("diagnosis", "lesion_id")}
    written(home / "bcn_20k_test.csv", table([test]))
    got = Read("bcn20000", tmp_path)
    assert got.records["BCN_9"].diagnosis_raw is None and got.records["BCN_1"].lesion_id == "BCN_L1"
    assert "2012" not in str(got.records) and not got.rejects and not got.unmapped


def test_derm12345_takes_patients_from_the_supplement(tmp_path):
    home = tmp_path / "derm12345"
    zipped(home / "derm12345_train_part_1.zip", {"derm12345_train_part_1/ajb/A1.jpg": picture(1)})
    zipped(home / "derm12345_train_part_2.zip", {"derm12345_train_part_2/mpd/A2.jpg": picture(2)})
    zipped(home / "derm12345_test.zip", {"derm12345_test/bcc/A3.jpg": picture(3)})
    written(home / "derm12345_metadata_train.csv", table([dict(image_id="A1", label="ajb"), dict(image_id="A2", label="mpd")]))
    written(home / "derm12345_metadata_test.csv", table([dict(image_id="A3", label="bcc")]))
    written(home / "supplement.csv", table([dict(image_id="A1", patient_id="P7"), dict(image_id="A2", patient_id="P7")]))
    got = Read("derm12345", tmp_path)
    assert [got.records[i].patient_id for i in ("A1", "A2", "A3")] == ["P7", "P7", None]
    assert got.records["A3"].series == "test" and not got.rejects and not got.unmapped


def test_every_derm12345_code_has_a_place(real_data):
    import json

    tree = json.loads((real_data / "vocabularies/derm12345_taxonomy.json").read_text())["tree"]
    codes = [code for groups in tree.values() for group in groups.values() for code in group]
    assert len(codes) >= 38
    assert not [code for code in codes if load().map_label("derm12345", code).how == "unmapped"]


def scin_case(case_id: str, n: int, **more: str) -> dict[str, str]:
    flags = dict.fromkeys(("textures_raised_or_bumpy", "body_parts_arm", "body_parts_palm", "body_parts_leg"), "")
    return {
        "case_id": case_id,
        "age_group": "AGE_30_TO_39",
        "sex_at_birth": "FEMALE",
        "fitzpatrick_skin_type": "FST3",
        **flags,
        "condition_symptoms_itching": "YES",
        "related_category": "RASH",
        "condition_duration": "ONE_DAY",
        "image_1_path": f"dataset/images/-{n}00.png",
        "image_1_shot_type": "CLOSE_UP",
        "image_2_path": "",
        "image_2_shot_type": "",
        "image_3_path": "",
        "image_3_shot_type": "",
        **more,
    }


def test_scin_keeps_differentials_tones_and_every_image(tmp_path):
    home = tmp_path / "scin"
    cases = [
        scin_case("-12", 1, body_parts_arm="YES", image_2_path="dataset/images/-101.png", image_2_shot_type="AT_DISTANCE"),
        scin_case("7", 2, body_parts_arm="YES", body_parts_leg="YES", image_2_path="dataset/images/-100.png"),
        scin_case("8", 3, sex_at_birth="OTHER_OR_UNSPECIFIED"),
        scin_case("9", 4),
    ]
    written(home / "scin_cases.csv", table(cases))
    tones = {
        "dermatologist_fitzpatrick_skin_type_label_1": "FST2",
        "dermatologist_fitzpatrick_skin_type_label_2": "",
        "dermatologist_fitzpatrick_skin_type_label_3": "FST4",
        "monk_skin_tone_label_india": "5",
        "monk_skin_tone_label_us": "4.0",
    }
    labels = [
        {"case_id": "-12", "weighted_skin_condition_label": "{'Eczema': 0.41, 'Psoriasis': 0.59}", **tones},
        {"case_id": "7", "weighted_skin_condition_label": "{'Urticaria': 1.0}", **dict.fromkeys(tones, "")},
        {"case_id": "8", "weighted_skin_condition_label": "__import__('os').system('x')", **dict.fromkeys(tones, "")},
        {"case_id": "9", "weighted_skin_condition_label": "", **dict.fromkeys(tones, "")},
    ]
    written(home / "scin_labels.csv", table(labels))
    for name in ("-100", "-101", "-200", "-300"):
        written(home / f"images/{name}.png", picture(int(name), "PNG") if int(name) > 0 else picture(-int(name), "PNG"))
    got = Read("scin", tmp_path)
    assert set(got.records) == {"-100", "-101", "-200", "-300"}
    first = got.records["-100"]
    assert first.lesion_id == got.records["-101"].lesion_id == "-12"
    assert first.differential == {"Psoriasis": 0.59, "Eczema": 0.41} and first.diagnosis_raw is None
    assert got.records["-200"].diagnosis_raw == "Urticaria"
    assert [(t.value, t.system, t.basis) for t in first.skin_tones] == [
        ("III", ToneSystem.FITZPATRICK, "self-report"),
        ("II", ToneSystem.FITZPATRICK, "dermatologist 1"),
        ("IV", ToneSystem.FITZPATRICK, "dermatologist 3"),
        ("5", ToneSystem.MONK, "raters in india"),
        ("4", ToneSystem.MONK, "raters in us"),
    ]
    assert first.body_site == "upper_limb" and got.records["-200"].body_site is None
    assert first.history["age_group"] == "AGE_30_TO_39" and first.history["condition_symptoms_itching"] == "YES"
    assert ("-300", "field_unparsed") in got.rejects
    assert ("-400", "row_without_image") in got.rejects
    assert ("-100", "duplicate_row") in got.rejects


def test_fitzpatrick17k_tells_dead_rows_wrong_labels_and_missing_types_apart(tmp_path):
    home = tmp_path / "fitzpatrick17k"
    rows = [
        dict(
            md5hash=f"{n:032x}",
            fitzpatrick_scale=fst,
            fitzpatrick_centaur="-1",
            label="psoriasis",
            nine_partition_label="inflammatory",
            three_partition_label="non-neoplastic",
            qc=qc,
            url=url,
            url_alphanum="u",
        )
        for n, (fst, qc, url) in enumerate(
            (
                ("2", "", "http://h/1.jpg"),
                ("-1", "1 Diagnostic", "http://h/2.jpg"),
                ("3", "3 Wrongly labelled", "http://h/3.jpg"),
                ("4", "", ""),
            )
        )
    ]
    written(home / "fitzpatrick17k.csv", table(rows))
    for n in range(3):
        written(home / f"images/{n:032x}.jpg", picture(n))
    got = Read("fitzpatrick17k", tmp_path)
    assert set(got.records) == {f"{n:032x}" for n in (0, 1)}
    assert [t.value for t in got.records[f"{0:032x}"].skin_tones] == ["II"]
    assert got.records[f"{1:032x}"].skin_tones == ()
    assert got.rejects == [(f"{2:032x}", "excluded_by_source")]


def test_ddi_bins_are_never_fitzpatrick_types(tmp_path):
    home = tmp_path / "ddi"
    zipped(home / "ddidiversedermatologyimages.zip", {f"00000{n}.png": picture(n, "PNG") for n in (1, 2, 3)})
    lines = [",DDI_ID,DDI_file,skin_tone,malignant,disease"]
    lines += [
        "0,1,000001.png,56,TRUE,melanoma-in-situ",
        "1,2,000002.png,12,False,psoriasis",
        "2,3,000003.png,3,False,psoriasis",
    ]
    written(home / "ddi_metadata.csv", "\n".join(lines).encode())
    got = Read("ddi", tmp_path)
    assert [(t.value, t.system) for t in got.records["000001"].skin_tones] == [("56", ToneSystem.DDI_BINS)]
    assert got.records["000003"].skin_tones == () and got.rejects == [("000003", "field_unparsed")]
    assert got.records["000001"].licence_id == "LicenseRef-Stanford-AIMI"


CRITERIA = ("pigment_network", "streaks", "pigmentation", "regression_structures", "dots_and_globules", "blue_whitish_veil")


def test_derm7pt_pairs_and_file_names_of_another_case(tmp_path):
    rows = [
        dict(
            case_num=n,
            diagnosis="blue nevus",
            seven_point_score=0,
            **dict.fromkeys(CRITERIA, "absent"),
            vascular_structures="comma" if n == 1 else "curly",
            level_of_diagnostic_difficulty="low",
            elevation="flat",
            location="upper limbs",
            sex="female",
            clinic=f"NEL/Nel{n:03d}.jpg",
            derm=f"NEL/Nel{n:03d}d.jpg",
            case_id=f"C{n}",
            notes="",
            management="excision",
        )
        for n in (1, 2)
    ]
    members = {f"release_v0/images/NEL/NEL{n:03d}{end}.JPG": picture(n * 2 + len(end)) for n in (1, 2) for end in ("", "d")}
    members.pop("release_v0/images/NEL/NEL002.JPG")
    zipped(tmp_path / "derm7pt/release_v0.zip", {**members, "release_v0/meta/meta.csv": table(rows)})
    got = Read("derm7pt", tmp_path)
    derm, clinic = got.records["NEL/Nel001d"], got.records["NEL/Nel001"]
    assert (derm.modality, clinic.modality) == (Modality.DERMOSCOPIC, Modality.CLINICAL_CLOSE_UP)
    assert derm.lesion_id == clinic.lesion_id == "C1"
    assert derm.expert_concepts["vascular_structures"] == "comma" and clinic.expert_concepts == {}
    assert ("NEL/Nel002.jpg", "row_without_image") in got.rejects
    assert any(reason == "field_unparsed" for _, reason in got.rejects)


PH2_HEADER = [
    "Image Name",
    "Histological Diagnosis",
    "Common Nevus",
    "Atypical Nevus",
    "Melanoma",
    "Asymmetry\n(0/1/2)",
    "Pigment Network\n(AT/T)",
    "Dots/Globules\n(A/AT/T)",
    "Streaks\n(A/P)",
    "Regression Areas\n(A/P)",
    "Blue-Whitish Veil\n(A/P)",
    "White",
    "Red",
    "Light-Brown",
    "Dark-Brown",
    "Blue-Gray",
    "Black",
]


def test_ph2_header_below_a_legend_masks_and_folder_names_with_spaces(tmp_path):
    home = tmp_path / "ph2"
    inner = "PH2Dataset/PH2 Dataset images"
    members = {}
    for name in ("IMD003", "IMD009"):
        members[f"{inner}/{name}/{name}_Dermoscopic_Image/{name}.bmp"] = picture(int(name[-1]), "BMP")
        members[f"{inner}/{name}/{name}_lesion/{name}_lesion.bmp"] = picture(77, "BMP")
    zipped(home / "PH2Dataset.zip", members)
    lines = [["Legend"], *([""] for _ in range(11)), PH2_HEADER]
    lines += [["IMD003", "", "X", "", "", 0, "T", "A", "A", "P", "A", "", "", "X", "", "", ""]]
    lines += [["IMD009", "Melanoma", "", "", "X", 2, "AT", "AT", "P", "A", "P", "", "", "", "X", "X", "X"]]
    written(home / "PH2_dataset.xlsx", made.sheet(lines))
    got = Read("ph2", tmp_path)
    first, second = got.records["IMD003"], got.records["IMD009"]
    assert first.diagnosis_raw == "Common Nevus" and first.diagnosis_basis is DiagnosisBasis.EXPERT
    assert second.diagnosis_basis is DiagnosisBasis.HISTOPATHOLOGY
    assert first.expert_concepts["pigment_network"] == "typical" and first.expert_concepts["streaks"] == "absent"
    assert "regression_structures" not in first.expert_concepts  # present, but not which kind
    assert "streaks" not in second.expert_concepts and second.expert_concepts["blue_whitish_veil"] == "present"
    assert "asymmetry 2" in second.expert_concepts["ph2"]
    assert [reason for _, reason in got.rejects] == ["not_a_photograph"] * 2 and not got.unmapped


@pytest.mark.parametrize(
    ("name", "archive", "members", "labels"),
    [
        (
            "med_node",
            "complete_mednode_dataset.zip",
            ["complete_mednode_dataset/melanoma/1.jpg", "complete_mednode_dataset/naevus/2.jpg"],
            ["melanoma", "naevus"],
        ),
        (
            "sd198",
            "sd-198.zip",
            ["images/Acne_Vulgaris/0000001HB.jpg", "images/Psoriasis/0000002HB.jpg"],
            ["Acne Vulgaris", "Psoriasis"],
        ),
        ("sd260", "sd-260.zip", ["Acne_Vulgaris/0000001HB.jpg", "Psoriasis/0000002HB.jpg"], ["Acne Vulgaris", "Psoriasis"]),
        (
            "dermnet",
            "dermnet.zip",
            ["train/Acne and Rosacea Photos/a-1.jpg", "test/Eczema Photos/b-2.jpg"],
            ["Acne and Rosacea Photos", "Eczema Photos"],
        ),
        ("pumch", "pumch.zip", ["psoriasis/1.jpg", "eczema/2.jpg"], ["psoriasis", "eczema"]),
    ],
)
def test_sets_whose_label_is_a_folder(tmp_path, name, archive, members, labels):
    files = {member: picture(n) for n, member in enumerate(members)}
    outer = members[0].split("/")[0] + "/" if len({m.split("/")[0] for m in members}) == 1 else ""
    zipped(
        tmp_path / name / archive, {**files, f"{outer}Thumbs.db": b"x", f"{outer}strange.bin": b"y", f"{outer}readme.txt": b"z"}
    )
    got = Read(name, tmp_path)
    assert sorted(r.diagnosis_raw for r in got.records.values()) == sorted(labels)
    assert [reason for _, reason in got.rejects] == ["not_a_photograph"]
    assert not any(r.licence_id.startswith("CC-BY-4") for r in got.records.values())
    if name == "dermnet":
        assert {r.series for r in got.records.values()} == {"train", "test"}


def test_daffodil_copies_share_the_lineage_of_their_original(tmp_path):
    names = ["img12.jpg", "hue-100_img12.jpg", "saturation-50-img12.jpg", "superpixels-img12.jpg", "flip-img12__Protect3.jpg"]
    names += ["Resize-img12.jpg", "Crop-img12.jpg", "padd-img12.jpg", "img13.jpg"]
    zipped(tmp_path / "daffodil/daffodil.zip", {f"acne/{name}": picture(n) for n, name in enumerate(names)})
    got = Read("daffodil", tmp_path)
    families = {name: got.records[f"acne/{name[:-4]}"].lineage for name in names}
    assert {families[name] for name in names[:-1]} == {"acne/img12"}
    assert families["img13.jpg"] == "acne/img13"
    assert not got.unmapped


def test_msld_v2_folds_and_augmented_twins_are_one_family(tmp_path):
    original, augmented = "MSLD_v2.0/Original Images/FOLDS", "MSLD_v2.0/Augmented Images/FOLDS_AUG"
    members = [f"{original}/fold{k}/Train/Monkeypox/MKP_12_01.jpg" for k in (1, 2)]
    members += [f"{original}/fold1/Test/Healthy/HEALTHY_03_01.jpg", f"{augmented}/fold1/Train/Monkeypox/MKP_12_01_aug7.jpg"]
    zipped(tmp_path / "msld_v2/msld_v2.zip", {name: picture(n) for n, name in enumerate(members)})
    got = Read("msld_v2", tmp_path)
    assert len(got.records) == 4
    pox = [r for r in got.records.values() if r.diagnosis_raw == "Monkeypox"]
    assert {r.lineage for r in pox} == {"monkeypox/mkp_12_01"} and {r.patient_id for r in pox} == {"MKP_12"}
    assert not got.unmapped and not got.rejects


def test_passion_labels_are_the_subjects(tmp_path):
    home = tmp_path / "passion"
    zipped(
        home / "PASSION_collection_2020_2023.zip",
        {f"img/AA0{n}.jpg": picture(i) for i, n in enumerate(("1_1", "1_2", "2_1", "9_1"))},
    )
    rows = [
        dict(
            subject_id=f"AA0{n}",
            country="Guinea",
            age="3.0",
            sex="f",
            fitzpatrick="5",
            body_loc=loc,
            impetig=imp,
            conditions_PASSION="Scabies",
        )
        for n, loc, imp in ((1, "hand;arm", "1.0"), (2, "face;leg", "NaN"), (3, "face", ""))
    ]
    written(home / "label.csv", table(rows))
    written(home / "PASSION_split.csv", table([dict(subject_id="AA01", Split="TRAIN"), dict(subject_id="AA02", Split="TEST")]))
    got = Read("passion", tmp_path)
    assert set(got.records) == {"AA01_1", "AA01_2", "AA02_1"}
    assert got.records["AA01_1"].patient_id == got.records["AA01_2"].patient_id
    assert got.records["AA01_1"].body_site == "upper_limb" and got.records["AA02_1"].body_site is None
    assert got.records["AA01_1"].history == {"country": "Guinea", "impetiginized": "yes"}
    assert got.records["AA02_1"].history == {"country": "Guinea"} and got.records["AA02_1"].series == "TEST"
    assert got.rejects == [("AA03", "row_without_image"), ("aa09_1", "image_without_row")]


def test_midas_modalities_controls_and_virtual_visits(tmp_path):
    home = tmp_path / "midas"
    header = ["midas_record_id", "midas_file_name", "midas_iscontrol", "midas_distance", "midas_location", "midas_path"]
    header += [
        "midas_pathreport",
        "midas_gender",
        "midas_age",
        "midas_fitzpatrick",
        "midas_melanoma",
        "midas_ethnicity",
        "midas_race",
    ]
    header += ["length_(mm)", "width_(mm)", "clinical_impression_1", "clinical_impression_2", "clinical_impression_3"]
    person = ["male", 60, "ii fair skin, blue eyes", "no", "no", "white", 7, 5]

    def line(name: str, control: str, distance: str, path: str) -> list[object]:
        return [
            1,
            name,
            control,
            distance,
            "left forearm",
            path,
            "private report",
            *person,
            "7-malignant-bcc",
            "5-benign-nevus",
            "",
        ]

    lines = [header, line("a.jpeg", "no", "dscope", "malignant-bcc"), line("b.jpg", "no", "1ft", "malignant-bcc")]
    lines += [line("c.jpg", "yes", "6in", ""), line("d.jpg", "no", "n/a - virtual", "malignant-bcc")]
    written(home / "release_midas.xlsx", made.sheet(lines))
    zipped(home / "midasmultimodalimagedatasetforaibasedskincancer.zip", {f"{n}.jpg": picture(i) for i, n in enumerate("abc")})
    got = Read("midas", tmp_path)
    modalities = (Modality.DERMOSCOPIC, Modality.CLINICAL_OVERVIEW, Modality.CLINICAL_CLOSE_UP)
    assert tuple(got.records[n].modality for n in "abc") == modalities
    assert [t.value for t in got.records["a"].skin_tones] == ["II"] and got.records["a"].body_site == "upper_limb"
    assert got.records["a"].differential == {"7-malignant-bcc": 0.5, "5-benign-nevus": 0.5}
    assert got.records["c"].diagnosis_raw is None and got.records["c"].series == "control"
    assert "private report" not in str(got.records)
    assert got.rejects == [("d.jpg", "excluded_by_source")] and not got.unmapped


def test_skincon_annotates_images_of_two_sets(tmp_path):
    home = tmp_path / "skincon"
    flag = "Do not consider this image"
    rows = [
        {"": "0", "ImageID": "abc.jpg", "Papule": "1", "Scale": "0", "Erythema": "1.0", flag: "0"},
        {"": "1", "ImageID": "bad.jpg", "Papule": "1", "Scale": "0", "Erythema": "0", flag: "1"},
    ]
    written(home / "annotations_fitzpatrick17k.csv", table(rows))
    written(home / "annotations_ddi.csv", table([{"ImageID": "000001.png", "Papule": "0", "Scale": "1", flag: "0"}]))
    got = Read("skincon", tmp_path)
    assert got.annotations["fitzpatrick17k:abc"].expert_concepts == {"skincon": ["Erythema", "Papule"]}
    assert got.annotations["fitzpatrick17k:bad"].doubtful and not got.annotations["fitzpatrick17k:bad"].expert_concepts
    assert got.annotations["ddi:000001"].expert_concepts == {"skincon": ["Scale"]}


def test_skincap_captions_join_by_the_original_file(tmp_path):
    columns = ("skincap_file_path", "ori_file_path", "source", "disease", "skin_tone", "caption_zh_polish_en")
    rows = [
        ("1.png", "abc.jpg", "fitzpatrick17k", "psoriasis", "3", "Scaly plaques."),
        ("2.png", "000001.png", "ddi", "nevus", "12", "A brown papule."),
        ("3.png", "x.jpg", "elsewhere", "nevus", "12", "A brown papule."),
        ("4.png", "def.jpg", "fitzpatrick17k", "nevus", "2", ""),
    ]
    written(tmp_path / "skincap/skincap_v240623.csv", table([dict(zip(columns, row, strict=True)) for row in rows]))
    got = Read("skincap", tmp_path)
    assert {i: a.expert_caption for i, a in got.annotations.items()} == {
        "fitzpatrick17k:abc": "Scaly plaques.",
        "ddi:000001": "A brown papule.",
    }
    assert got.rejects == [("def", "row_malformed"), ("x", "row_malformed")]


def test_annotations_join_whatever_the_order_and_bring_their_licence(tmp_path):
    from pipelines.annotations import annotated, joined

    test_skincon_annotates_images_of_two_sets(tmp_path)
    test_ddi_bins_are_never_fitzpatrick_types(tmp_path)
    for order in (("skincon", "ddi"), ("ddi", "skincon")):
        lake = Lake(str(tmp_path / f"lake-{order[0]}"))
        for name in order:
            ingest(lake, name, mirror=str(tmp_path))
        rows = {row["image_id"]: row for row in annotated(lake, lake.read("images").to_pylist())}
        assert rows["ddi:000001"]["expert_concepts"] == '{"skincon": ["Scale"]}'
        assert rows["ddi:000001"]["licence_id"] == "LicenseRef-Stanford-AIMI"
        assert "SkinCon" in rows["ddi:000001"]["attribution"] and "SkinCon" not in rows["ddi:000002"]["attribution"]
        assert joined(lake, "skincon") == (1, 2)


@pytest.mark.parametrize(
    ("claim", "licence"),
    [
        ("CC-BY-4.0", "CC-BY-NC-4.0"),
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("CC-BY-NC-ND-4.0", "CC-BY-NC-ND-4.0"),
        ("LicenseRef-No-Clear-Rights", "LicenseRef-No-Clear-Rights"),
    ],
)
def test_a_claim_elsewhere_can_only_make_a_licence_stricter(tmp_path, monkeypatch, claim, licence):
    test_bcn20000_with_an_unlabelled_test_part(tmp_path)
    claimed = replace(SOURCES["bcn20000"], licence_claims=(("a card", claim),))
    monkeypatch.setitem(SOURCES, "bcn20000", claimed)
    lake = Lake(str(tmp_path / "lake"))
    ingest(lake, "bcn20000", mirror=str(tmp_path))
    assert set(lake.read("images").column("licence_id").to_pylist()) == {licence}


def test_a_changed_file_under_the_same_version_is_reported_and_replaces_everything(tmp_path):
    def put(label: str) -> None:
        zipped(tmp_path / "med_node/complete_mednode_dataset.zip", {f"{label}/{n}.jpg": picture(n) for n in range(3)})

    lake = Lake(str(tmp_path / "lake"))
    put("melanoma")
    assert ingest(lake, "med_node", mirror=str(tmp_path)).drift == ()
    put("naevus")
    done = ingest(lake, "med_node", mirror=str(tmp_path))
    assert len(done.drift) == 1 and "complete_mednode_dataset.zip: sha256" in done.drift[0]
    assert set(lake.read("images").column("diagnosis_raw").to_pylist()) == {"naevus"}
    again = ingest(lake, "med_node", mirror=str(tmp_path))
    assert again.skipped and again.drift == done.drift


def test_what_was_published_is_accounted_for(tmp_path):
    test_fitzpatrick17k_tells_dead_rows_wrong_labels_and_missing_types_apart(tmp_path)
    lake = Lake(str(tmp_path / "lake"))
    ingest(lake, "fitzpatrick17k", mirror=str(tmp_path))
    (row,) = lake.read("sources").to_pylist()
    assert (row["published"], row["known_missing"], row["images"], row["set_aside"]) == (16_577, 41, 2, 1)


def test_a_set_of_which_nothing_is_left_is_an_error(tmp_path):
    zipped(tmp_path / "med_node/complete_mednode_dataset.zip", {"melanoma/1.jpg": b"no picture"})
    with pytest.raises(SourceTooDamaged, match="not_an_image"):
        ingest(Lake(str(tmp_path / "lake")), "med_node", mirror=str(tmp_path))


@pytest.mark.parametrize("name", ["ddi", "passion", "midas", "derm7pt", "ph2", "pumch"])
def test_a_gated_set_is_never_fetched_but_explained(tmp_path, name):
    with pytest.raises(SourceUnavailable, match=r"cannot be fetched automatically.*put them into"):
        ingest(Lake(str(tmp_path / "lake")), name, cache=str(tmp_path / "cache"))
