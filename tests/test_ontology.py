"""The ontology and the prompts: valid, exact, never guessing down, and blind where they must be."""

import csv
import json
import re
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.ontology import CAPITALS, MORPHOLOGY_WORDS, OntologyError, data_files, load, normalise, parse
from prompts.ontology_page import markdown
from prompts.schemas import all_findings
from prompts.stages import observe_prompt, reason_prompt
from sources import phantom
from sources.phantom_lesion import CLINICAL, DERMOSCOPIC

ONTOLOGY = load()
ROOT = Path(__file__).parents[1]
DIAGNOSES = [node for node in ONTOLOGY.nodes.values() if ONTOLOGY.granularity(node.id) in ("diagnosis", "subtype")]


def broken(file: str, change) -> dict[str, bytes]:
    """The project's files, one of them changed: by a function on its JSON, which is a list of nodes or the tables of labels."""
    files = data_files()
    document = json.loads(files[file])
    by_id = {entry["id"]: entry for entry in document} if isinstance(document, list) else document
    change(document, by_id)
    return files | {file: json.dumps(document).encode()}


@pytest.mark.parametrize(
    ("file", "change", "fault"),
    [
        ("vascular.json", lambda d, n: n["hemangioma"].update(parent="nowhere"), "hemangioma: no parent nowhere"),
        (
            "vascular.json",
            lambda d, n: n["vascular"].update(parent="hemangioma"),
            "hemangioma: deeper than 4 levels, or in a cycle",
        ),
        (
            "vascular.json",
            lambda d, n: n["hemangioma"].update(parent="psoriasis"),
            "hemangioma: its superclass inflammatory stands in",
        ),
        (
            "vascular.json",
            lambda d, n: n["benign-vascular"].update(parent=None),
            "more than one superclass: vascular, benign-vascular",
        ),
        ("nail.json", lambda d, n: d.append(n["beau-lines"]), "beau-lines: the id appears twice, also in nail.json"),
        (
            "nail.json",
            lambda d, n: n["beau-lines"]["synonyms"].append("  ACNÉ-vulgaris "),
            "beau-lines: 'acne vulgaris' names both acne",
        ),
        (
            "nail.json",
            lambda d, n: n["beau-lines"].update(abbreviations=["BCC"]),
            "beau-lines: 'bcc' names both basal-cell-carcinoma",
        ),
        ("nail.json", lambda d, n: n["beau-lines"].update(malignancy="bad"), "beau-lines: malignancy 'bad' is none of"),
        (
            "vascular.json",
            lambda d, n: n["hemangioma"].update(malignancy="malignant"),
            "malignant below benign-vascular, which is benign",
        ),
        (
            "nail.json",
            lambda d, n: n["beau-lines"]["supports"]["both"].append("colour: plaid"),
            "'colour: plaid' is no finding",
        ),
        (
            "nail.json",
            lambda d, n: n["beau-lines"]["against"]["clinical"].append("Fissure"),
            "'Fissure' both supports and opposes",
        ),
        (
            "nail.json",
            lambda d, n: n["beau-lines"].update(against={"both": ["Fissure"]}),
            "'Fissure' both supports and opposes",
        ),
        ("nail.json", lambda d, n: n["beau-lines"].update(sites=["moon"]), "beau-lines: 'moon' is no site"),
        ("nail.json", lambda d, n: n["beau-lines"].update(icd11="L40.0"), "beau-lines: icd11 'L40.0' is no ICD-11 code"),
        ("nail.json", lambda d, n: n["beau-lines"].update(overlaps=["nowhere"]), "beau-lines: overlaps no node nowhere"),
        (
            "nail.json",
            lambda d, n: n["beau-lines"].update(overlaps=["nail-plate"]),
            "overlaps nail-plate, which is itself, above it",
        ),
        (
            "nail.json",
            lambda d, n: [n["beau-lines"].pop(k) for k in ("supports", "against")],
            "beau-lines: a diagnosis with neither",
        ),
        ("nail.json", lambda d, n: n["beau-lines"].update(without_criteria="a test"), "beau-lines: has criteria and a reason"),
        ("nail.json", lambda d, n: n["beau-lines"].update(synonim=["x"]), "beau-lines: unknown key synonim"),
        ("nail.json", lambda d, n: n["beau-lines"].update(synonyms="x"), "beau-lines: synonyms is no list"),
        ("nail.json", lambda d, n: n["beau-lines"].pop("name"), "beau-lines: without name"),
        (
            "nail.json",
            lambda d, n: n["beau-lines"]["supports"].update(histology=["x"]),
            "beau-lines: supports knows no histology",
        ),
        ("labels.json", lambda d, n: d["labels"]["ham10000"].update(nv="nowhere"), "ham10000: 'nv' maps to no node nowhere"),
        (
            "labels.json",
            lambda d, n: d["labels"]["ham10000"].update(NV="melanoma"),
            "ham10000: 'NV' maps to melanoma, another spelling",
        ),
        ("labels.json", lambda d, n: d["vocabularies"].update(nothing=["ham10000"]), "no vocabulary nothing"),
    ],
)
def test_every_broken_rule_names_file_and_node(file, change, fault):
    with pytest.raises(OntologyError, match=rf"(^|; ){re.escape(file)}: .*{re.escape(fault)}"):
        parse(broken(file, change))


def test_a_file_that_is_no_json_is_named_and_hides_no_other_fault():
    files = broken("nail.json", lambda d, n: n["beau-lines"].update(malignancy="bad")) | {"hair.json": b"[{"}
    with pytest.raises(OntologyError, match=r"hair\.json: no JSON.*nail\.json: beau-lines: malignancy"):
        parse(files)


def test_the_digest_follows_the_content_of_every_file():
    changed = {parse({**data_files(), name: data + b" "}).digest for name, data in data_files().items()}
    assert len(changed | {ONTOLOGY.digest}) == len(data_files()) + 1


def test_the_tree_is_broad_and_has_four_levels():
    assert len(DIAGNOSES) > 700
    assert {ONTOLOGY.granularity(node) for node in ONTOLOGY.nodes} == {"superclass", "group", "diagnosis", "subtype"}
    assert all(ONTOLOGY.children(group) for top in ONTOLOGY.children(None) for group in ONTOLOGY.children(top))


def test_ids_that_lakes_may_refer_to_stay():
    assert set((ROOT / "tests" / "ontology_ids.txt").read_text().split()) <= ONTOLOGY.nodes.keys()


@pytest.mark.parametrize("node", DIAGNOSES, ids=lambda node: node.id)
def test_every_diagnosis_can_be_argued_for_and_against_or_says_why_not(node):
    sides = Counter(c.polarity for c in ONTOLOGY.criteria(node.id))
    assert node.without_criteria or (sides["supports"] >= 2 and sides["against"] >= 1)


def test_the_page_is_the_tree():
    page = (ROOT / "docs" / "ontology.md").read_text()
    assert page == markdown(ONTOLOGY), "run: python -m prompts.ontology markdown > docs/ontology.md"


def test_every_name_and_synonym_resolves_to_its_node():
    for node in ONTOLOGY.nodes.values():
        for text in (node.name, *node.synonyms, *node.abbreviations, *node.isic):
            assert ONTOLOGY.resolve(text) == node.id
            assert ONTOLOGY.resolve(text.upper()) == node.id


def test_abbreviations_have_two_capitals():
    assert [a for node in ONTOLOGY.nodes.values() for a in node.abbreviations if not CAPITALS.search(a)] == []


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


def test_spelling_that_is_only_similar_does_not_resolve():
    assert ONTOLOGY.resolve("melanom") is None
    assert ONTOLOGY.resolve("lentigo malign") is None
    assert ONTOLOGY.resolve("lentigo") != ONTOLOGY.resolve("lentigo maligna")


@pytest.mark.parametrize(
    ("source", "file", "column", "unmapped"),
    [
        ("ham10000", "HAM10000_metadata.csv", "dx", set()),
        ("pad_ufes_20", "metadata.csv", "diagnostic", set()),
        ("derm7pt", "meta.csv", "diagnosis", {"miscellaneous"}),
    ],
)
def test_real_labels_map(real_data, source, file, column, unmapped):
    with (real_data / "mirror" / source / file).open(encoding="utf-8") as handle:
        labels = {row[column] for row in csv.DictReader(handle)}
    assert {label for label in labels if ONTOLOGY.map_label(source, label).node is None} == unmapped


def test_folders_and_phantoms_map(real_data):
    with zipfile.ZipFile(real_data / "mirror" / "isic9" / "isic9.zip") as archive:
        folders = {name.split("/")[1] for name in archive.namelist() if name.count("/") == 2}
    assert len(folders) == 9
    for label in {*folders, *DERMOSCOPIC, *CLINICAL}:
        assert ONTOLOGY.map_label("isic9", label).node


@pytest.mark.parametrize(
    ("source", "raw", "level"),
    [
        ("ham10000", "akiec", "group"),
        ("ham10000", "bkl", "group"),
        ("ham10000", "vasc", "superclass"),
        ("isic9", "vascular lesion", "superclass"),
        ("ham10000", "nv", "diagnosis"),
        ("derm7pt", "lentigo", "diagnosis"),
    ],
)
def test_a_coarse_label_stays_coarse(source, raw, level):
    node = ONTOLOGY.map_label(source, raw).node
    assert node and ONTOLOGY.granularity(node) == level


def test_nothing_that_is_true_of_a_picture_is_offered_as_wrong():
    def offered(node):
        return {other for ring in ONTOLOGY.cousins(node) for other in ring}

    assert ONTOLOGY.relation("invasive-melanoma", "nodular-melanoma") == "overlap"
    assert not offered("nodular-melanoma") & {"invasive-melanoma", "melanoma"}
    assert not offered("invasive-melanoma") & {"nodular-melanoma", "superficial-spreading-melanoma"}
    assert ONTOLOGY.relation("melanoma", "melanoma-metastasis") == "ancestor"
    assert not ONTOLOGY.exclusive("acral-nevus", "compound-nevus")
    for node in ONTOLOGY.nodes:
        assert not any(ONTOLOGY.nodes[other].without_criteria for other in offered(node))
        assert all(ONTOLOGY.exclusive(node, other) for other in offered(node))


def test_an_overlap_holds_both_ways_and_for_all_below():
    relation = ONTOLOGY.relation
    assert relation("neurofibroma", "neurofibromatosis") == relation("neurofibromatosis", "neurofibroma") == "overlap"
    assert relation("plexiform-neurofibroma", "neurofibromatosis") == "overlap"
    assert relation("adipose-neural", "neurofibromatosis") == "unrelated"


def test_a_class_of_benign_and_malignant_lesions_is_called_neither():
    assert {ONTOLOGY.nodes[node].malignancy for node in ("vascular", "melanocytic", "squamous-neoplasia")} == {"mixed"}
    for node in ONTOLOGY.nodes.values():
        above = {ONTOLOGY.nodes[n].malignancy for n in ONTOLOGY.path(node.id)[:-1]}
        assert above <= {"mixed", node.malignancy}


def test_healthy_skin_is_no_broad_class():
    assert ONTOLOGY.granularity("healthy-skin") == "diagnosis"


def test_a_lentigo_without_a_type_is_neither_simple_nor_solar_nor_malignant():
    named = {ONTOLOGY.resolve(f"lentigo{kind}") for kind in ("", " simplex", " solaris", " maligna", " maligna melanoma")}
    assert None not in named and len(named) == 5
    assert ONTOLOGY.relation("lentigo", "lentigo-simplex") == "ancestor"


def test_relations_and_their_grades():
    relation, grade = ONTOLOGY.relation, ONTOLOGY.similarity
    assert (relation("melanoma", "melanoma"), grade("melanoma", "melanoma")) == ("same", 1.0)
    assert relation("nevus", "blue-nevus") == "ancestor" and relation("blue-nevus", "nevus") == "descendant"
    assert relation("psoriasis", "lichen-planus") == "sibling"
    assert relation("nevus", "melanoma") == "same superclass"
    assert relation("nevus", "psoriasis") == "unrelated"
    assert [grade("blue-nevus", x) for x in ("nevus", "clark-nevus", "melanoma", "acne")] == [0.85, 0.7, 0.5, 0.1]


def test_actinic_keratosis_is_neither_benign_nor_malignant():
    assert ONTOLOGY.nodes["actinic-keratosis"].malignancy == "indeterminate"


def archive_paths(real_data) -> list[list[str]]:
    tree = json.loads((real_data / "vocabularies" / "isic_diagnosis_hierarchy.json").read_text())
    return [path.split(":") for path in tree["values"]]


def test_archive_names_are_those_of_the_archive_and_so_is_malignancy(real_data):
    said = {path[-1]: path[0].lower() for path in archive_paths(real_data)}
    assert {text for node in ONTOLOGY.nodes.values() for text in node.isic} <= said.keys()
    differ = {n.id for n in ONTOLOGY.nodes.values() for t in n.isic if n.malignancy not in (said[t], "mixed")}
    # Infections, reactions and stains, which the archive can only call benign.
    assert differ == {"verruca", "molluscum", "foreign-body-granuloma", "tattoo"}


def test_a_name_of_the_archive_is_above_the_names_below_it(real_data):
    """A coarse name that was guessed down would contradict the finer ones."""
    paths = archive_paths(real_data)
    mapped = {tuple(path): ONTOLOGY.map_label("isic_archive", path[-1]) for path in paths}
    assert not [path for path, found in mapped.items() if found.how == "unmapped"]
    for path, found in mapped.items():
        below = {node for other, (node, _) in mapped.items() if other[: len(path)] == path and node}
        if found.node:
            assert {ONTOLOGY.relation(found.node, node) for node in below} <= {"same", "ancestor", "overlap"}, path


@pytest.mark.parametrize(
    ("source", "file", "column", "kind"),
    [
        ("ham10000", "HAM10000_metadata.csv", "dx", "dermoscopic"),
        ("pad_ufes_20", "metadata.csv", "diagnostic", "clinical"),
        ("derm7pt", "meta.csv", "diagnosis", "dermoscopic"),
    ],
)
def test_every_label_with_images_can_be_argued_for_and_against(real_data, source, file, column, kind):
    with (real_data / "mirror" / source / file).open(encoding="utf-8") as handle:
        labels = {row[column] for row in csv.DictReader(handle)}
    drawn = DERMOSCOPIC if kind == "dermoscopic" else CLINICAL
    nodes = {node for label in {*labels, *drawn} if (node := ONTOLOGY.map_label(source, label).node)}
    for node in sorted(nodes):
        sides = Counter(c.polarity for c in ONTOLOGY.criteria(node) if c.kind in (kind, "both"))
        assert sides["supports"] >= 3 and sides["against"] >= 2, node


def test_a_diagnosis_is_noticed_in_a_sentence_in_any_form():
    for node in ONTOLOGY.nodes.values():
        for text in (node.name, *node.synonyms):
            if normalise(text) not in MORPHOLOGY_WORDS:
                assert ONTOLOGY.mentions(f"This looks like {text}, I think."), text
    assert ONTOLOGY.mentions("Two Melanomas and an SK.") == ("melanomas", "SK")


@pytest.mark.parametrize(
    ("word", "noticed"),
    [
        ("nevi", "nevi"),
        ("blue naevi", "blue naevi"),
        ("seborrheic keratoses", "seborrheic keratoses"),
        ("verrucae", "verrucae"),
        ("solar lentigines", "solar lentigines"),
        ("ephelides", "ephelides"),
        ("mollusca", "mollusca"),
        ("hemangiomata", "hemangiomata"),
    ],
)
def test_irregular_plurals_are_noticed(word, noticed):
    assert ONTOLOGY.mentions(f"There are several {word} here.") == (noticed,)


def test_signs_that_share_a_name_are_not_diagnoses():
    assert ONTOLOGY.mentions("There are milia-like cysts, a milium, comedones and a scar.") == ()


def test_findings_are_no_diagnoses():
    for finding in sorted(all_findings()):
        assert ONTOLOGY.mentions(f"The image shows {finding}.") == (), finding


@pytest.mark.parametrize("kind", ["dermoscopic", "clinical"])
def test_the_observe_prompt_names_no_diagnosis(kind):
    assert ONTOLOGY.mentions(observe_prompt(kind)) == ()


def test_the_reason_prompt_shows_labels_only_when_it_may():
    observation = json.dumps({"morphological_features_others": ["colour: pink"]})
    assert ONTOLOGY.mentions(reason_prompt("clinical", observation, "blind", ["melanoma"])) == ()
    for conditioning in ("candidates", "confirmed"):
        assert "melanoma" in reason_prompt("clinical", observation, conditioning, ["melanoma"])


def test_the_blind_stage_gets_nothing_of_the_label(corpus):
    from pipelines.teach.stages import observe_request
    from pipelines.teach.subjects import subjects

    labels = {record.diagnosis_raw for record in phantom.records()}
    for subject in subjects(corpus.lake, "phantom"):
        request = observe_request(subject)
        shown = request.prompt + json.dumps(request.facts)
        assert not labels & set(ONTOLOGY.mentions(shown))
        assert subject.node not in shown and subject.image_id not in shown
