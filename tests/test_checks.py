"""The checks on generated text: each fails on a planted fault, none on sound text, and none raises on any text."""

import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts import ontology as ontologies
from prompts import schemas
from quality import checks, finding_words, language, site_words, text
from quality.claims import Known
from quality.text import Polarity

ONTOLOGY = ontologies.load()
MELANOMA = ONTOLOGY.resolve("melanoma")

DERMOSCOPIC: dict[str, Any] = {
    schemas.DERM7PT_KEY: {
        "pigment_network": "atypical",
        "blue_whitish_veil": "present",
        "vascular_structures": "absent",
        "pigmentation": "diffuse irregular",
        "streaks": "irregular",
        "dots_and_globules": "irregular",
        "regression_structures": "not assessable",
    },
    schemas.OTHERS_KEY: ["colour: dark brown", "symmetry: asymmetric in both axes"],
    schemas.TEXT_KEY: "The lesion is asymmetric in both axes and mostly dark brown. An atypical pigment network "
    "runs to the "
    "periphery, where irregular streaks end. Irregular dots and globules are scattered over it, and a "
    "blue-whitish veil covers "
    "the centre. No vessels are seen, and regression could not be judged.",
}
CLINICAL: dict[str, Any] = {
    schemas.SKINCON_KEY: ["Erythema", "Plaque", "Scale"],
    schemas.OTHERS_KEY: ["edge: sharp"],
    schemas.TEXT_KEY: "A sharply bounded plaque with white scale stands on erythematous skin. The border is "
    "regular and there is "
    "no crust, no erosion and no ulceration in the field of view.",
}
REASONING: dict[str, Any] = {
    "supporting": ["pigment network: atypical", "streaks: irregular"],
    "against": ["vascular structures: absent"],
    "reasoning": "The atypical network together with irregular streaks at the periphery points to a melanocytic "
    "lesion with "
    "disordered growth. The asymmetry in both axes is in line with this. The absence of atypical vessels speaks "
    "a little "
    "against it, but the balance of the findings still favours melanoma, which would need to be confirmed in tissue.",
    "final_diagnosis": "Melanoma",
}


KNOWN = {
    "dermoscopic": Known(
        measured=("outline: irregular", "symmetry: asymmetric in both axes"),
        traces={"dark brown": 0.6, "light brown": 0.3, "pink": 0.2, "white": 0.1, "blue-gray": 0.0, "purple": 0.0},
        site="trunk_back",
        site_raw="upper back, left",
        sex="male",
        age_years=50.0,
    ),
    "clinical": Known(site="trunk_back", site_raw="upper back, left", sex="male", age_years=50.0),
}


def observed(value: Any, kind: str = "dermoscopic") -> dict[str, checks.Verdict]:
    """Failed verdicts of an observation by code."""
    raw = value if isinstance(value, str) else json.dumps(value)
    return {v.check: v for v in checks.check_observation(raw, kind, ONTOLOGY, KNOWN[kind])[1] if not v.passed}


def reasoned(value: Any, known: str | None = MELANOMA, kind: str = "dermoscopic") -> dict[str, checks.Verdict]:
    """Failed verdicts of a reasoning about the dermoscopic observation by code."""
    raw = value if isinstance(value, str) else json.dumps(value)
    verdicts = checks.check_reasoning(raw, DERMOSCOPIC, kind, known, ONTOLOGY, KNOWN[kind])[1]
    return {v.check: v for v in verdicts if not v.passed}


def saying(extra: str, base: dict[str, Any] = DERMOSCOPIC) -> dict[str, Any]:
    """An observation whose description goes on with `extra`."""
    return base | {schemas.TEXT_KEY: f"{base[schemas.TEXT_KEY]} {extra}"}


def arguing(extra: str) -> dict[str, Any]:
    """The reasoning with `extra` at its end."""
    return REASONING | {"reasoning": f"{REASONING['reasoning']} {extra}"}


def with_criteria(**values: str) -> dict[str, Any]:
    """The dermoscopic observation with other values of some criteria."""
    return DERMOSCOPIC | {schemas.DERM7PT_KEY: DERMOSCOPIC[schemas.DERM7PT_KEY] | values}


ALL_ABSENT = with_criteria(**dict.fromkeys(schemas.DERM7PT, "absent")) | {schemas.OTHERS_KEY: []}
NOISE = "".join(string.ascii_letters[(n * 7919) % 52] + " " * (n % 5 == 0) for n in range(400))
GERMAN = (
    "Das Bild zeigt eine ovale Läsion mit unregelmäßigem Rand und zwei Farben in der Mitte, die an der Grenze "
    "zur Haut scharf "
    "ist und keine Streifen hat."
)
SPANISH = (
    "La imagen muestra una lesión ovalada con un borde irregular y dos colores en el centro, no se observa una "
    "red pigmentada "
    "a lo largo de la lesión ni vasos."
)
FRENCH = (
    "L'image montre une lésion ovale avec un bord irrégulier et deux couleurs au centre, on note que le réseau "
    "est absent et "
    "que les vaisseaux sont rares."
)

OBSERVATION_FAULTS: list[tuple[str, Any, str, str]] = [
    ("not_json", "Here is the JSON you asked for: {}", "dermoscopic", "Here is"),
    ("not_json", f"```json\n{json.dumps(DERMOSCOPIC)}\n```", "dermoscopic", "```"),
    ("not_json", json.dumps(DERMOSCOPIC)[:-20], "dermoscopic", ""),
    ("not_json", '{"a": 1, "a": 2}', "dermoscopic", "twice"),
    ("not_json", '{"a": "\\ud800"}', "dermoscopic", "surrogate"),
    ("not_json", "[" * 100_000, "dermoscopic", ""),
    ("not_json", "[" * 30 + "]" * 30, "dermoscopic", "deeper"),
    ("not_json", "9" * 5000, "dermoscopic", ""),
    ("schema", [DERMOSCOPIC], "dermoscopic", ""),
    ("schema", {k: v for k, v in DERMOSCOPIC.items() if k != schemas.OTHERS_KEY}, "dermoscopic", schemas.OTHERS_KEY),
    ("schema", DERMOSCOPIC | {"confidence": 0.9}, "dermoscopic", "confidence"),
    ("schema", CLINICAL | {schemas.SKINCON_KEY: ["Scale", "Scale"]}, "clinical", ""),
    ("schema", CLINICAL | {schemas.TEXT_KEY: "no pseudopods and " * 10_000}, "clinical", "detailed_description maxLength"),
    ("vocabulary", with_criteria(streaks="many"), "dermoscopic", "streaks: many"),
    ("vocabulary", CLINICAL | {schemas.SKINCON_KEY: ["scale"]}, "clinical", "scale"),
    ("wrong_modality", CLINICAL, "dermoscopic", schemas.SKINCON_KEY),
    ("wrong_modality", DERMOSCOPIC, "clinical", schemas.DERM7PT_KEY),
    ("wrong_modality", saying("There is a pigment network at the edge.", CLINICAL), "clinical", "pigment network"),
    ("wrong_modality", saying("It is a clinical photograph of the back."), "dermoscopic", "clinical photograph"),
    ("names_diagnosis", saying("The picture is typical of melanoma."), "dermoscopic", "elanoma"),
    ("names_diagnosis", saying("This could be a BCC.", CLINICAL), "clinical", ""),
    ("names_diagnosis", saying("It looks malignant."), "dermoscopic", "malignant"),
    ("names_diagnosis", CLINICAL | {schemas.OTHERS_KEY: ["psoriasis"]}, "clinical", "soriasis"),
    ("non_visual", saying("It has been present for three years.", CLINICAL), "clinical", "history"),
    ("non_visual", saying("The area itches.", CLINICAL), "clinical", "itches"),
    ("non_visual", saying("The skin is that of a 63-year-old.", CLINICAL), "clinical", "63-year-old"),
    ("non_visual", saying("It is on the arm of a woman.", CLINICAL), "clinical", "woman"),
    ("non_visual", saying("It is firm and tender on palpation.", CLINICAL), "clinical", "palpation"),
    ("non_visual", saying("Histology showed nests.", CLINICAL), "clinical", "Histology"),
    ("non_visual", saying("It was treated with steroids.", CLINICAL), "clinical", "treated"),
    ("provenance", saying("The metadata names the back."), "dermoscopic", "metadata"),
    ("refusal", saying("I'm sorry, but I cannot assist with medical images."), "dermoscopic", "sorry"),
    ("refusal", saying("Please consult a qualified dermatologist."), "dermoscopic", "consult"),
    ("length", DERMOSCOPIC | {schemas.TEXT_KEY: "A brown lesion."}, "dermoscopic", "3 words"),
    ("language", DERMOSCOPIC | {schemas.TEXT_KEY: NOISE}, "dermoscopic", ""),
    ("language", DERMOSCOPIC | {schemas.TEXT_KEY: GERMAN}, "dermoscopic", "function words"),
    ("language", DERMOSCOPIC | {schemas.TEXT_KEY: SPANISH}, "dermoscopic", "function words"),
    ("language", DERMOSCOPIC | {schemas.TEXT_KEY: FRENCH}, "dermoscopic", "function words"),
    ("language", DERMOSCOPIC | {schemas.TEXT_KEY: "the and of to in is " * 4}, "dermoscopic", "function words"),
    ("degenerate", saying("It is dark in the centre. " * 4), "dermoscopic", "dark in the centre"),
    ("degenerate", saying("The network is very very very very dark."), "dermoscopic", "4 times"),
    ("degenerate", saying("It ends hereeeeeeeeeeee."), "dermoscopic", "eeee"),
    ("degenerate", saying("The shape is [insert shape]."), "dermoscopic", "[insert shape]"),
    ("all_absent", ALL_ABSENT, "dermoscopic", ""),
    ("all_absent", CLINICAL | {schemas.SKINCON_KEY: [], schemas.OTHERS_KEY: []}, "clinical", ""),
    ("management", saying("The area should be excised without delay.", CLINICAL), "clinical", "should be excised"),
    ("personal_data", saying("The label reads John, phone 555-010-4477.", CLINICAL), "clinical", "555-010-4477"),
    (
        "hedging",
        saying("It may, perhaps, be brown; it might possibly be black, and it seems uncertain."),
        "dermoscopic",
        "perhaps",
    ),
    ("against_record", saying("The plaque lies on the left knee.", CLINICAL), "clinical", "left knee"),
    ("against_pixels", saying("The outline is smooth and the border is regular."), "dermoscopic", "outline"),
    ("against_pixels", saying("A purple area lies in the centre."), "dermoscopic", "purple area"),
    ("unmentioned", CLINICAL | {schemas.SKINCON_KEY: ["Erythema", "Plaque", "Scale", "Wheal"]}, "clinical", "Wheal"),
    ("contradiction", saying("There is no pigment network."), "dermoscopic", "pigment network: atypical"),
    ("contradiction", with_criteria(streaks="absent"), "dermoscopic", "streaks: absent"),
    ("contradiction", with_criteria(dots_and_globules="regular"), "dermoscopic", "dots and globules: regular"),
    ("contradiction", with_criteria(blue_whitish_veil="not assessable"), "dermoscopic", "blue whitish veil"),
    ("contradiction", saying("Arborizing vessels cross it."), "dermoscopic", "vessels"),
    ("contradiction", saying("Scale is not visible.", CLINICAL), "clinical", "Scale listed"),
    ("contradiction", saying("Vesicles stand at the border.", CLINICAL), "clinical", "Vesicle not listed"),
]

REASONING_FAULTS: list[tuple[str, Any, str]] = [
    ("not_json", "melanoma", "melanoma"),
    ("schema", REASONING | {"supporting": "pigment network: atypical"}, ""),
    ("wrong_modality", arguing("A pigment network is seen at the edge."), "pigment network"),
    ("cites_unobserved", REASONING | {"supporting": ["pigment network: typical"]}, "pigment network: typical"),
    ("cites_unobserved", REASONING | {"against": ["Scale"]}, "Scale"),
    ("no_support", REASONING | {"supporting": []}, ""),
    ("cited_both_ways", REASONING | {"against": ["streaks: irregular"]}, "streaks: irregular"),
    ("diagnosis_unknown", REASONING | {"final_diagnosis": "spotted fever of the ink"}, "spotted fever"),
    ("diagnosis_unnamed", REASONING | {"final_diagnosis": "Psoriasis"}, "Psoriasis"),
    ("diagnosis_disagrees", REASONING | {"final_diagnosis": "Psoriasis"}, "Psoriasis"),
    ("non_visual", arguing("The patient is a woman who has had it for three years."), "woman"),
    ("management", arguing("Wide excision is recommended."), "excision is recommended"),
    ("against_record", arguing("It lies on the right forearm."), "right forearm"),
    ("concludes_otherwise", arguing("All in all this is psoriasis."), "psoriasis"),
    ("provenance", arguing("This agrees with the confirmed diagnosis."), "confirmed diagnosis"),
    ("provenance", arguing("The ground truth says so."), "ground truth"),
    ("provenance", arguing("The file name ISIC_0001.jpg tells it."), "file name"),
    ("refusal", arguing("As an AI language model, I cannot diagnose skin lesions."), "As an AI"),
    ("length", REASONING | {"reasoning": "It is melanoma."}, "3 words"),
    ("language", REASONING | {"reasoning": NOISE}, ""),
    ("degenerate", arguing("The network is atypical and the lesion is melanoma. " * 3), "network is atypical"),
]


def test_sound_answers_pass_every_check() -> None:
    assert observed(DERMOSCOPIC) == {}
    assert observed(CLINICAL, "clinical") == {}
    assert reasoned(REASONING) == {}


@pytest.mark.parametrize(("code", "answer", "kind", "quote"), OBSERVATION_FAULTS)
def test_a_planted_fault_of_an_observation_is_found_and_quoted(code: str, answer: Any, kind: str, quote: str) -> None:
    assert quote in observed(answer, kind)[code].detail


@pytest.mark.parametrize(("code", "answer", "quote"), REASONING_FAULTS)
def test_a_planted_fault_of_a_reasoning_is_found_and_quoted(code: str, answer: Any, quote: str) -> None:
    kind = "clinical" if code == "wrong_modality" else "dermoscopic"
    assert quote in reasoned(answer, kind=kind)[code].detail


def test_every_check_has_a_planted_fault() -> None:
    assert {fault[0] for fault in OBSERVATION_FAULTS + REASONING_FAULTS} == set(checks.CHECKS) - {
        "copied_text"
    }  # needs more than one answer: tests/test_teach.py


# Descriptions as people write them, with findings said indirectly, denied in lists and compared with other things.
SOUND: list[tuple[dict[str, str] | list[str], str]] = [
    (
        {"pigment_network": "typical"},
        "The image displays a pigmented lesion with a reticular pattern that is mostly regular, fading at the "
        "periphery. "
        "There are no streaks, blue-whitish veil or vascular structures. A few hairs cross the field of view.",
    ),
    (
        {"vascular_structures": "arborizing"},
        "Prominent arborizing vessels of varying calibre branch across a milky-red surface, and there is a small "
        "central "
        "ulceration with adherent crust. Pigment network and globules are not identified.",
    ),
    (
        {"pigment_network": "atypical", "dots_and_globules": "irregular", "blue_whitish_veil": "present"},
        "The lesion shows an irregular, atypical pigment network with thick brown lines, several globules that "
        "are unevenly "
        "distributed, and a focal blue-white veil. Streaks are absent and no regression is apparent.",
    ),
    (
        {"pigmentation": "diffuse regular"},
        "Milia-like cysts and comedo-like openings are scattered across a light brown lesion with a sharp "
        "border; there is "
        "no pigment network, and dots, streaks or vessels cannot be made out.",
    ),
    (
        ["Erythema", "Plaque", "Scale"],
        "There is a well-demarcated, erythematous plaque covered by thick silvery-white scale. The surrounding "
        "skin appears "
        "normal, without vesicles, pustules or crusting.",
    ),
    (
        ["Brown(Hyperpigmentation)", "Patch"],
        "Irregularly bordered hyperpigmented patches are present over the upper back, symmetric in distribution, "
        "with no visible "
        "scaling, atrophy or textural change compared with the adjacent skin.",
    ),
    (
        ["Nodule", "Translucent", "Telangiectasia", "Ulcer"],
        "A pearly, translucent nodule with rolled edges and fine telangiectasia over its surface is in view. A "
        "small area of "
        "ulceration is present in the centre.",
    ),
]


@pytest.mark.parametrize(("structure", "prose"), SOUND)
def test_a_sound_description_raises_no_false_alarm(structure: dict[str, str] | list[str], prose: str) -> None:
    if isinstance(structure, dict):
        seven = {schemas.DERM7PT_KEY: dict.fromkeys(schemas.DERM7PT, "absent") | structure}
        assert observed(seven | {schemas.OTHERS_KEY: [], schemas.TEXT_KEY: prose}) == {}
    else:
        assert observed({schemas.SKINCON_KEY: structure, schemas.OTHERS_KEY: [], schemas.TEXT_KEY: prose}, "clinical") == {}


def test_raw_line_breaks_and_tabs_inside_a_string_are_read() -> None:
    raw = json.dumps(DERMOSCOPIC).replace(". Irregular", ".\n\tIrregular")
    value, verdicts = checks.check_observation(raw, "dermoscopic", ONTOLOGY)
    assert value is not None and "\n\t" in value[schemas.TEXT_KEY]
    assert all(verdict.passed for verdict in verdicts)


def test_signs_that_share_a_disease_name_may_be_described() -> None:
    signs = {"Abscess": "an abscess", "Cyst": "cysts", "Scar": "a scar", "Comedo": "comedones", "Xerosis": "xerosis"}
    signs |= {"Purpura/Petechiae": "purpura", "Telangiectasia": "telangiectasia", "Poikiloderma": "poikiloderma"}
    for concept, word in signs.items():
        said = {
            schemas.SKINCON_KEY: [concept],
            schemas.TEXT_KEY: f"In the centre of the field of view there is {word} on the skin.",
        }
        assert observed(CLINICAL | said, "clinical") == {}, concept


def test_every_concept_is_recognised_in_its_own_words() -> None:
    for concept, pattern in finding_words.CONCEPTS.items():
        assert any(pattern.search(part) for part in [concept, *concept.split("/")]), concept
    assert set(finding_words.CONCEPTS) | set(finding_words.COLOUR_CONCEPTS) == set(schemas.SKINCON)


def test_agreement_is_graded_on_the_ontology() -> None:
    child = next(node for node in ONTOLOGY.nodes.values() if node.parent == MELANOMA)
    narrower = arguing(f"It is {child.name}.") | {"final_diagnosis": child.name}
    value, verdicts = checks.check_reasoning(json.dumps(narrower), DERMOSCOPIC, "dermoscopic", MELANOMA, ONTOLOGY)
    verdict = {v.check: v for v in verdicts}["diagnosis_disagrees"]
    assert value is not None and verdict.passed
    assert verdict.detail == "descendant"
    assert reasoned(REASONING, child.id) == {}
    assert reasoned(REASONING, None) == {}


ABSENT_THREE = ("streaks", "dots_and_globules", "vascular_structures")
POLARITIES = [
    (
        "There is no pigment network, streaks, or dots and globules.",
        {"pigment_network": "-", "streaks": "-", "dots_and_globules": "-"},
    ),
    ("A pigment network is present, and streaks are absent.", {"pigment_network": "+", "streaks": "-"}),
    (
        "Pigment network, streaks and globules are not seen.",
        {"pigment_network": "-", "streaks": "-", "dots_and_globules": "-"},
    ),
    (
        "No pigment network is seen, and a blue-whitish veil is present.",
        {"pigment_network": "-", "blue_whitish_veil": "+"},
    ),
    ("It does not show a pigment network but has streaks.", {"pigment_network": "-", "streaks": "+"}),
    ("The pigment network fills the lesion and streaks are absent.", {"pigment_network": "+", "streaks": "-"}),
    (
        "The pigment network as well as vessels could not be assessed.",
        {"pigment_network": "?", "vascular_structures": "?"},
    ),
    ("Pigment network: absent. Streaks (none).", {"pigment_network": "-", "streaks": "-"}),
    ("Neither streaks nor globules can be seen.", {"streaks": "-", "dots_and_globules": "-"}),
    ("Streaks cannot be clearly seen; vessels are abundant.", {"streaks": "-", "vascular_structures": "+"}),
    ("Vessels are lacking, with globules throughout.", {"vascular_structures": "-", "dots_and_globules": "+"}),
    ("Not only streaks but globules are seen.", {"streaks": "+", "dots_and_globules": "+"}),
    ("The colour could not be judged and streaks are seen.", {"streaks": "+"}),
    ("Brown, with no visible streaks, globules or vessels.", dict.fromkeys(ABSENT_THREE, "-")),
    ("Not assessed: streaks, vessels.", {"streaks": "?", "vascular_structures": "?"}),
    ("It is free of streaks and without vessels.", {"streaks": "-", "vascular_structures": "-"}),
    ("Vessels of a defined type are not identified.", {"vascular_structures": "-"}),
    ("Streaks, vessels with a discernible course and globules are absent.", dict.fromkeys(ABSENT_THREE, "-")),
    ("Streaks with thick ends are seen.", {"streaks": "+"}),
    ("Globules, streaks and vessels were looked for and not found.", dict.fromkeys(ABSENT_THREE, "-")),
    ("The criteria are negative throughout, namely streaks, vessels and globules.", dict.fromkeys(ABSENT_THREE, "-")),
    ("The lesion is negative for streaks.", {"streaks": "-"}),
    (
        "Vessels are conspicuous by their absence, and globules are not demonstrated.",
        {"vascular_structures": "-", "dots_and_globules": "-"},
    ),
    ("Streaks are nowhere to be seen.", {"streaks": "-"}),
    ("Streaks aren't visible, and globules haven't been found.", {"streaks": "-", "dots_and_globules": "-"}),
    ("I wouldn't speak of streaks.", {"streaks": "-"}),
    ("Neither half displays any streaks.", {"streaks": "-"}),
    ("None of the following is seen: streaks, globules, vessels.", dict.fromkeys(ABSENT_THREE, "-")),
    ("Streaks? There are none. Globules? Yes.", {"streaks": "~", "dots_and_globules": "~"}),
    ("Streaks, globules and vessels: all negative.", dict.fromkeys(ABSENT_THREE, "~")),
    ("Vessels, had there been any, would show up clearly.", {"vascular_structures": "~"}),
    ("Streaks do not cover any portion.", {"streaks": "~"}),
    ("No globules with streaks.", {"dots_and_globules": "-", "streaks": "~"}),
    ("Streaks are found along the rim and nowhere else.", {"streaks": "+"}),
    ("Streaks run along the rim, which vessels never reach.", {"streaks": "~", "vascular_structures": "~"}),
]
SIGNS = {Polarity.AFFIRMED: "+", Polarity.DENIED: "-", Polarity.UNASSESSED: "?", Polarity.UNCLEAR: "~"}


@pytest.mark.parametrize(("sentence", "expected"), POLARITIES)
def test_denial_reaches_as_far_as_english_says(sentence: str, expected: dict[str, str]) -> None:
    found = {key: text.mentions(sentence, pattern) for key, pattern in finding_words.CRITERIA.items()}
    assert {key: SIGNS[mentions[0].polarity] for key, mentions in found.items() if mentions} == expected


@pytest.mark.parametrize(
    ("said", "region"),
    [
        ("in the preauricular region", "head_neck"),
        ("on the lateral aspect of the neck", "head_neck"),
        ("on the dorsal trunk", "trunk_back"),
        ("on the front of the torso", "trunk_front"),
        ("on the mid-back", "trunk_back"),
        ("in the web space between two fingers", "upper_limb"),
        ("on the volar forearm", "upper_limb"),
        ("at the top of the natal cleft", "gluteal_buttocks"),
        ("on the plantar surface of the foot", "lower_limb"),
    ],
)
def test_a_site_is_known_by_everyday_and_by_learned_words(said: str, region: str) -> None:
    assert site_words.region(said) == region


@pytest.mark.parametrize("said", ["as far as it shows to the eye", "in the spaces between the legs", "on the left-hand side"])
def test_other_senses_of_a_word_are_no_site(said: str) -> None:
    assert site_words.SITE.search(said) is None


def test_a_structure_listed_by_itself_is_not_the_criterion_that_shares_its_word() -> None:
    apart = with_criteria(dots_and_globules="absent") | {
        schemas.OTHERS_KEY: ["black dots"],
        schemas.TEXT_KEY: "An atypical pigment network with irregular streaks ends at the rim, and black dots fill the follicles under a "
        "blue-whitish veil. The brown pigmentation is diffuse and irregular.",
    }
    assert "contradiction" not in observed(apart)
    assert "contradiction" in observed(apart | {schemas.OTHERS_KEY: []})


def test_a_value_denied_among_others_is_denied() -> None:
    said = "There is no regular or irregular streak."
    assert "regular or irregular streak" in observed(saying(said))["contradiction"].detail


def test_a_diagnosis_that_is_a_sign_too_may_conclude() -> None:
    sign = REASONING | {
        "reasoning": f"{REASONING['reasoning']} Psoriasis looks alike but has other borders. So the best name for this is tattoo.",
        "final_diagnosis": "tattoo",
    }
    assert "concludes_otherwise" not in reasoned(sign, None)


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("Keratin pearls and cellular pleomorphism are seen.", True),
        ("The veil stands for acanthosis above pigment in the dermis.", False),
        ("Spongiosis would be expected of an eczema.", False),
    ],
)
def test_a_reasoning_says_what_a_finding_stands_for_in_the_tissue_and_not_that_it_is_there(prose: str, expected: bool) -> None:
    assert ("non_visual" in reasoned(arguing(prose))) is expected


def test_an_expectation_is_no_excuse_for_what_is_told_of_the_patient() -> None:
    assert "non_visual" in reasoned(arguing("Given the patient's age of 61, such changes are expected."))
    assert "non_visual" not in reasoned(arguing("At an advanced age such changes would be expected."))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Yüzeyi ince beyaz pullu ve çevresi düzensiz.", True),
        ("可见少量细小的毛发穿过视野。", True),
        ("병변이 있다.", True),
        ("Café-au-lait patch.", False),
        ("A café-au-lait patch, naïve in build, stands at the rim.", False),
        ("Globules, streaks, veil: none.", False),
        ("Hence the final impression: Campbell de Morgan spot.", False),
    ],
)
def test_a_sentence_in_another_language_is_told_by_its_words_or_letters(sentence: str, expected: bool) -> None:
    assert language.foreign(sentence) is expected


@pytest.mark.parametrize(
    ("prose", "expected"), [("Its margins thin out gently.", True), ("Even lines that thin out gently.", False)]
)
def test_an_edge_and_not_the_lines_of_a_network_is_held_against_the_measured_edge(prose: str, expected: bool) -> None:
    sharp = Known(measured=("edge: sharp",))
    verdicts = checks.check_observation(json.dumps(saying(prose)), "dermoscopic", ONTOLOGY, sharp)[1]
    assert any(v.check == "against_pixels" and not v.passed for v in verdicts) is expected


@given(st.text(max_size=400), st.sampled_from(["dermoscopic", "clinical"]))
@settings(max_examples=60, deadline=None)
def test_no_text_raises(raw: str, kind: str) -> None:
    for verdicts in (
        checks.check_observation(raw, kind, ONTOLOGY)[1],
        checks.check_reasoning(raw, {}, kind, MELANOMA, ONTOLOGY)[1],
    ):
        assert {verdict.check for verdict in verdicts} <= set(checks.CHECKS)
        assert not all(verdict.passed for verdict in verdicts)


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30)
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_json_raises_and_what_is_returned_fits_the_schema(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([DERMOSCOPIC, CLINICAL, REASONING]))
    changed = base | data.draw(st.dictionaries(st.sampled_from(sorted(base)), ANY_JSON, max_size=2))
    raw = json.dumps(data.draw(st.sampled_from([changed, changed])) if data.draw(st.booleans()) else data.draw(ANY_JSON))
    for kind in ("dermoscopic", "clinical"):
        value, verdicts = checks.check_observation(raw, kind, ONTOLOGY)
        assert (value is None) == any(not v.passed and v.check in ("not_json", "schema", "vocabulary") for v in verdicts)
    value, verdicts = checks.check_reasoning(raw, DERMOSCOPIC, "dermoscopic", MELANOMA, ONTOLOGY)
    assert (value is None) == any(not v.passed and v.check in ("not_json", "schema", "vocabulary") for v in verdicts)
