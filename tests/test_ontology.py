"""The ontology and the prompts: valid, exact, never guessing down, and blind where they must be."""

import csv
import json
import zipfile
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.ontology import DATA, MORPHOLOGY_WORDS, OntologyError, load, normalise, parse
from prompts.schemas import all_findings
from prompts.stages import observe_prompt, reason_prompt
from sources import phantom
from sources.phantom_lesion import CLINICAL, DERMOSCOPIC

ONTOLOGY = load()


def document() -> dict:
    return json.loads(DATA.read_text())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d["nodes"][0].update(parent="nowhere"), "no parent nowhere"),
        (lambda d: d["nodes"][1].update(parent=d["nodes"][2]["id"]), "in a cycle"),
        (lambda d: d["nodes"][3].setdefault("synonyms", []).append(d["nodes"][9]["name"]), "names both"),
        (lambda d: d["nodes"][5].update(malignancy="bad"), "malignancy 'bad'"),
        (
            lambda d: d["nodes"][5].setdefault("supports", {}).setdefault("both", []).append("colour: plaid"),
            "no finding of the vocabularies",
        ),
        (lambda d: d["nodes"].append(dict(d["nodes"][4])), "appears twice"),
        (lambda d: d["raw_labels"]["ham10000"].update(nv="nowhere"), "maps to no node nowhere"),
    ],
)
def test_every_broken_rule_is_named(change, fault):
    broken = document()
    change(broken)
    with pytest.raises(OntologyError, match=fault):
        parse(json.dumps(broken).encode())


def test_a_finding_may_not_argue_both_ways():
    broken = document()
    node = next(n for n in broken["nodes"] if n["id"] == "melanoma")
    node["against"]["dermoscopic"].append(node["supports"]["dermoscopic"][0])
    with pytest.raises(OntologyError, match="both supports and opposes"):
        parse(json.dumps(broken).encode())


def test_every_name_and_synonym_resolves_to_its_node():
    for node in ONTOLOGY.nodes.values():
        for text in (node.name, *node.synonyms, *node.abbreviations):
            assert ONTOLOGY.resolve(text) == node.id
            assert ONTOLOGY.resolve(text.upper()) == node.id


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


def test_malignancy_is_the_archives_where_the_archive_has_the_name(real_data):
    tree = json.loads((real_data / "vocabularies" / "isic_diagnosis_hierarchy.json").read_text())
    paths = [path.split(":") for path in tree["values"]]
    known = {node: path[0].lower() for path in paths if (node := ONTOLOGY.resolve(path[-1]))}
    assert len(known) > 40
    # Infections, which the archive can only call benign.
    differ = {node for node, said in known.items() if ONTOLOGY.nodes[node].malignancy != said}
    assert differ == {"verruca", "molluscum"}


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
