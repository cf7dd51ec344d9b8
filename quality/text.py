"""Matching in generated prose: words, sentences, and whether a phrase is said or denied.

The polarity of a phrase follows the idea of NegEx (Chapman et al. 2001): trigger words before or after it, and a scope
that ends at a clause boundary. Nothing here knows dermatology; the word lists that do are in `quality.lexicon`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate

from quality.patterns import Together, apart, folded, matches, places, possible, registered, spans

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_ASCII_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")
"""The same in lower case ASCII, found in a third of the time."""

_APART = {code: chr(code) if chr(code).islower() or chr(code) in "'-" else " " for code in range(128)}
_LOOSE_MARK = re.compile(r"['-](?:(?<![a-z].)|(?![a-z]))")
"""An apostrophe or a hyphen that does not join two letters."""

# These two begin with one class of characters: a search then skips everything else.
_SENTENCE_END = re.compile(r"([.!?\n](?:(?<=\n)\n*|(?<=[.!?])[.!?]*(?=\s|$)))")
_TURNS_TO = r"\b(?:(?<!anything )(?<!nothing )(?<!all )but|however|although|though|while|whilst|whereas|yet|except|apart from|instead)\b"
_CLAUSE_WORD = registered(re.compile(_TURNS_TO, re.IGNORECASE))
_LISTED = re.compile(r"\b(?:not|no|none|nothing|absent|missing|negative|lacking)\b[^.!?;:\n]{0,40}:[^.!?\n]*", re.IGNORECASE)
"""A list of what is denied, whose semicolons part no clauses: "Not seen: streaks; veil"."""

_CLAUSE_MARK = re.compile(r"([.!?;\n][.!?;\n]*)")
_CLAUSE_END = re.compile(rf"([.!?;\n][.!?;\n]*|{_TURNS_TO})", re.IGNORECASE)
_VERBS = r"(?:is|are|was|were|ca|could|do|does|did|have|has|had|wo|would)n['\u2019]t|is|are|was|were|appears?|remains?|can|could|cannot|may|might|do|does|did|have|has|had"
_SEEN = (
    r"seen|visible|present|evident|identified|identifiable|observed|noted|noticed|appreciated|found|detected|detectable"
    r"|discernible|discerned|distinguished|resolved|made out|recogni[sz]ed|apparent|recorded|shown|noticeable"
)
# The same words where they say something, not where they stand before their noun: "visible vessels".
_SAID_SEEN = (
    rf"(?:{_SEEN})(?=\W*$|\s*[,;:.)(]|\s+(?:in|on|at|over|within|throughout|along|here|there|across|near|around|under|as|and|or|nor|but|only|with|from|to|by"
    r"|anywhere|elsewhere|beside|between|among|beneath|above|below|towards?|through|inside|outside|that|which|when|where|centrally|peripherally)\b)"
)
# Those that are not registered, from here on, are for folded texts. A denial ahead of a phrase reaches no further than one of these.
_SCOPE_START = re.compile(
    r"\b(?:(?:is|are|was|were|has|shows|contains|displays|reveals|demonstrates|exhibits|includes|appears|with|there)\b"
    rf"|(?<!\bno )(?<!\bwithout )(?<!\bany )(?<!\bclearly )(?<!, )(?<!\bor )(?<!\band )(?<!\bof ){_SAID_SEEN}"
    r"|(?:assessed|judged|evaluated|determined|measured)\b(?!\s*:)"
    r"|(?:so that|because|since)\b)|\s[\u2013\u2014]\s|,\s+(?:and|with)\s+(?=(?:an?|the|some|several|multiple)\b)"
)
_SEEN_NEXT = re.compile(rf"\b(?:{_SEEN})\s*$")
_SEEN_ENDS = (*_SEEN.replace("[sz]", "s").split("|"), "recognized")
_SEEN_FIRST = re.compile(rf"^\s*(?:{_SEEN})\b")
"""An adjective of the phrase itself: in "not show visible vessels" nothing new begins at "visible"."""

_DENIED_BEFORE = re.compile(
    r"\b(?:no|not(?! only)|without|absence of|absent|lacks?|lacking|neither|nor|free (?:of|from)|devoid of|rather than"
    r"|never|cannot|nowhere|in vain|fail(?:s|ed)? to|missing|spared by|none of|void of|bare of|nothing|any(?! (?:direction|part|way|case|event|place|one|other|of|more|further|distribution|axis))|little (?:if any|or no)"
    r"|zero|negative for|unaccompanied by|instead of|as opposed to|wanting in|(?:do|does|did|is|are|was|were|has|have|had|could|ca|wo|would)n['\u2019]t)\b|\bnon[- ]$"
)
_DENIED_AFTER = registered(
    re.compile(
        r"(?:\w+ly\s+|to\s+be\s+|be\s+|nowhere\s+){0,2}(?:absent|missing|lacking|undetectable|undetected|non-?existent|nil|wanting|excluded|ruled\s+out"
        rf"|(?:not|never|\w+n['\u2019]t)\s+(?:be(?:en)?\s+)?(?:\w+ly\s+)?(?:{_SEEN}))\b"
        rf"|nowhere\s+(?:to\s+be\s+)?(?:{_SEEN})|conspicuous\s+by\s+(?:its|their)\s+absence|fail(?:s|ed)?\s+to\s+(?:appear|show|develop|occur|form)|no\s+(?:trace|evidence|hint)\b"
        r"|(?:not|never|n['\u2019]t)\s+(?:\w+ly\s+)?(?:be\s+|to\s+be\s+)?(?:occur|appear|demonstrated|develop\w*|form\w*|exist|feature|figure|show|part\b|in evidence|among|prominent|conspicuous|a feature|striking|obvious|marked|to be|found|made out|encountered|met|had|there)"
        r"|(?:searched|looked|sought)(?:\s+for)?[^,;]*?\b(?:in vain|not found|without (?:success|result))"
        rf"|(?:cannot|can\s+not|can['\u2019]t|could\s+not)\s+be\s+(?:\w+ly\s+)?(?:{_SEEN})\b",
        re.IGNORECASE,
    )
)
_ASIDE = registered(
    re.compile(
        r"(?:\s+\w+){0,2}\s*(?:[:=(,]|[-\u2013\u2014])\s*(?:absent|none|no(?=\W*$)|nil|negative|not\s+(?:seen|present|visible))\b",
        re.IGNORECASE,
    )
)
_LIST_DENIED = registered(
    re.compile(
        r"^[^:.;]*:\s*(?:absent|none|nil|negative|not (?:seen|present|visible))\W*$"
        r"|\b(?:(?:offer|show|f[io]nd|found|see|ha|reveal|display)\w* none|c[oa]mes? up empty|without (?:result|success)|in vain)\b",
        re.IGNORECASE,
    )
)
"""Behind the list that a phrase stands in: "streaks, veil and globules: none"."""

_ABSENT_ARE = registered(
    re.compile(
        r"(?:^|,)\W*(?:\w+ly\s+|also\s+|equally\s+)?(?:absent|missing|lacking|not (?:seen|visible|present))\s+(?:is|are|was|were)\b"
        r"|\b(?:absent|missing|lacking|not (?:\w+ )?(?:seen|visible|present|found|identified|recogni[sz]ed|discernible|detected)),?\s+(?:just )?(?:as|so|and so)\s+(?:is|are|was|were)\b"
        r"|\b(?:absent|missing|negative|lacking|not (?:\w+ ){0,3}(?:seen|visible|present|found|observed|identified|noted|there|met|fulfilled|satisfied))(?:(?:\s+\w+)?,\s*(?:namely|that is|i\.e\.|viz\.?|specifically)|(?:\s+\w+){0,4}:)"
        r"|\bnone\s+of\s+(?:the\s+following|these|those|them|what\s+follows)\b[^:;.]*:"
        r"|\bnot\s+(?:seen|found|visible|present|identified|observed|detected)\s+(?:is|are|was|were)\b|\bwhat\b[^,;]*\b(?:cannot|not|never|lacks|missing|absent)\b[^,;]*?\b(?:is|are)\b"
        r"|\b(?:neither|nor|nowhere|nothing|(?:at|in)\s+no\s+(?:point|place|spot|part)(?:\s+of\s+(?:the|this)\s+\w+)?)\s+(?:is|are|was|were|do|does|did|can|could|has|have)(?:\s+there)?\b",
        re.IGNORECASE,
    )
)
"""An inverted denial at the start of a clause, or after what leads into it: "absent are streaks"."""

_LEFT_OPEN = registered(
    re.compile(
        r"\bwhether\b|\bwherever\s|\bwhere\s+(?:the\s+)?(?:\w+\s+)?$|\bno (?:further|additional|other)\s+(?:\w+\s+)?$|(?:^|,)\W*(?:and )?(?:so|likewise)\s+(?:is|are|do|does)\b|\btoo much\b|\bjudge?ment (?:on|of|about)\b|\bsame (?:is true|holds|applies|goes|can be said)\b|\b(?:not|nor|never|n['\u2019]t|hardly|barely)\s+(?:\w+ly\s+)?(?:allow|permit|possible|enable|suffic\w+|enough|clear enough)\b"
        r"|\b(?:impossible|too (?:\w+ )?(?:blurred|dark|bright|small|poor|coarse))\b"
        r"|\b(?:no|nothing)\b[^,]*\b(?:statement|judge?ment|assessment|conclusion|information|can be (?:said|told|stated))\b"
        r"|\b(?:prevents?|precludes?|hinders?|hampers?|impedes?)\b",
        re.IGNORECASE,
    )
)
"""Words ahead of a phrase that leave it undecided, however far ahead they stand in its clause."""

_STAYS_OPEN = registered(
    re.compile(
        r"(?:cannot|can\s+not|can['\u2019]t|could\s+not|couldn['\u2019]t)\s+be\s+(?:\w+ly\s+)?(?:decided|told|said|made out|established|settled|assessed|judged|"
        r"evaluated|determined|graded)|(?:cannot|can\s+not|can['\u2019]t)\s+be\s+(?:\w+ly\s+)?(?:applied|commented|rated|classified|read|interpreted|confirmed|ascertained|called|answered)|neither\s+confirmed\s+nor|(?:cannot|can\s+not|can['\u2019]t)\s+be\s+(?:\w+ly\s+)?(?:shown|seen|known|proven)\s+from|\b(?:remains?|stays?|is|are|left)\s+(?:\w+ly\s+)?(?:undetermined|undecided|open|unclear|uncertain|indeterminate)",
        re.IGNORECASE,
    )
)
"""Words behind a phrase that leave it undecided."""

_UNASSESSED = registered(
    re.compile(
        r"\b(?:not|cannot|can['\u2019]t|couldn['\u2019]t|neither)\s+(?:be\s+)?(?:\w+ly\s+)?"
        r"(?:assess|evaluat|judg|determin|measur|interpret|grad|scor|availab)\w*"
        r"|\bunavailable\b|\bunassess\w+|\bno information (?:on|about)\b",
        re.IGNORECASE,
    )
)
_TURN = registered(
    re.compile(
        r"\b(?:no[rt]?|non|nowhere|empty|what|zero|instead|opposed|wanting|excluded|ruled|conspicuous|in vain|fail(?:s|ed)?|void|bare|nil|negative|spared|free|little|none|nothing|never|neither|nor|so|likewise|cannot|searched|looked|sought|without|whether|same|hardly|barely|free of|devoid|rather than|too|open|un\w+|im\w+|indeterminate|denied|negated|would|(?:had|were) there|any|whatever|question"
        r"|absen\w+|lack\w*|missing|prevent\w*|preclude\w*|hinder\w*|hamper\w*|impede\w*)\b|n['\u2019]t\b",
        re.IGNORECASE,
    )
)
"""What every pattern that denies a phrase or leaves it open needs: most clauses hold nothing of the kind."""

_DOUBTED = registered(
    re.compile(
        r"\b(?:not(?! (?:only|just|merely)\b)|never|none|nil|negative|absent|missing|lacking|nowhere(?! else)|nothing|neither|wanting|excluded|denied|negated|unlikely|in vain"
        r"|(?:had|were) there|would|if any|whatever|out of (?:the )?question|no (?:role|part|place|trace|sign|evidence|feature|means|such))\b|n['\u2019]t\b",
        re.IGNORECASE,
    )
)
"""Behind a phrase, where nothing above has read it as a denial: what is said of the phrase is not plainly that it is there."""

_OWN_WORDS = re.compile(r"((?:\s+(?!(?:and|or)\b)[\w-]+){2,}?)\s+and\b(?!\s+(?:not|never|nowhere|absent|missing)\b)")
_BELONGS = re.compile(r"(?:\s+[\w-]+){1,4}\s+(?:with|of|showing|bearing|carrying|containing)\s+(?:[\w-]+\s+){0,3}")
_GAP_END = re.compile(rf",|\b(?:and|or|nor|as well as|together with|{_VERBS}|absent|missing|lacking|not|{_SAID_SEEN})\b")
_VERB = re.compile(rf"\b(?:{_VERBS}|absent|missing|lacking|not|{_SAID_SEEN})\b")

_DENIALS = {
    "denied after": _DENIED_AFTER,
    "aside": _ASIDE,
    "list denied": _LIST_DENIED,
    "absent are": _ABSENT_ARE,
    "left open": _LEFT_OPEN,
    "stays open": _STAYS_OPEN,
    "unassessed": _UNASSESSED,
    "doubted": _DOUBTED,
}
apart(*_DENIALS.values())
_ASKED = Together(_DENIALS)

_QUALIFIED = re.compile(r"\s+(?:with|of|in|from|at)\b")
"""Behind a phrase: it is narrowed down, and its verb is still to come: "vessels of a defined type are not seen"."""

_NEXT_ITEM = re.compile(r",|\band\b(?!\s+(?:not|never|nowhere|absent|missing)\b)")


class Polarity(StrEnum):
    """What a text does with a phrase."""

    AFFIRMED = "affirmed"
    DENIED = "denied"
    UNASSESSED = "unassessed"
    UNCLEAR = "unclear"
    """Asked about, or said with a "not" that may belong to it or to something else: neither claims nor denials are read from it."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One phrase found in a text: the words as written, what is said of it, and its clause before and after."""

    quote: str
    polarity: Polarity
    before: str
    after: str


@lru_cache(maxsize=64)
def words(text: str) -> tuple[str, ...]:
    """Words of a text, lower case, digits and punctuation left out; hyphenated words count once."""
    return tuple(tokens(text.lower()))


def tokens(lowered: str) -> list[str]:
    """The words of a text in lower case."""
    if not lowered.isascii():
        return _WORD.findall(lowered)
    apart = lowered.translate(_APART)  # where no mark is loose, what stands between spaces are the words
    return _ASCII_WORD.findall(lowered) if _LOOSE_MARK.search(apart) else apart.split()


@lru_cache(maxsize=64)
def sentences(text: str) -> tuple[str, ...]:
    """Sentences, trimmed, empty ones left out."""
    return tuple([trimmed for part in _sentences(text)[0] if (trimmed := part.strip())])


@lru_cache(maxsize=64)
def singly_spaced(text: str) -> bool:
    """Whether single spaces and line ends, and no other white space, stand between the words of a text, and none around it."""
    line = text.replace("\n", " ")
    return " ".join(line.split()) == line


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of a text on one printable line, for quoting in a verdict."""
    line = "".join(char if char.isprintable() else " " for char in text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def quoted(found: Iterable[str], limit: int, most: int) -> str:
    """The distinct strings of `found` in double quotes, at most `most` of them, each at most `limit` characters."""
    distinct = list(dict.fromkeys(found))
    tail = f" and {len(distinct) - most} more" if len(distinct) > most else ""
    return ", ".join(f'"{clip(item, limit)}"' for item in distinct[:most]) + tail


def mentions(text: str, pattern: re.Pattern[str]) -> list[Mention]:
    """Every match of `pattern` in `text` with its polarity, read clause by clause."""
    return _mentions(text, pattern, frozenset(), _turned(text)) if possible(pattern, text) else []


def denials(text: str, pattern: re.Pattern[str]) -> list[Mention]:
    """The `mentions` that are denied: sought only in clauses that hold what a denial needs."""
    if not possible(pattern, text):
        return []
    turned = _turned(text)
    sought = _mentions(text, pattern, turned, turned) if turned else []
    return [mention for mention in sought if mention.polarity is Polarity.DENIED]


def _mentions(text: str, pattern: re.Pattern[str], within: frozenset[int], turned: frozenset[int]) -> list[Mention]:
    """The mentions in clauses of `within`, or in all for none; those outside `turned` are affirmed, unless they are asked about."""
    parts, cuts = _clauses(text)
    found = []
    for n in places(pattern, text, cuts):
        if within and n not in within:
            continue
        clause = parts[n]
        asked = text.startswith("?", (cuts[n - 1] if n else 0) + len(clause))
        for start, end in spans(pattern, clause):
            before, after = clause[:start], clause[end:]
            said = Polarity.UNCLEAR if asked else _polarity(before, after, text) if n in turned else Polarity.AFFIRMED
            found.append(Mention(clause[start:end], said, before, after))
    return found


def found(text: str, pattern: re.Pattern[str]) -> list[str]:
    """Every match of `pattern` inside a sentence of `text`, as written."""
    if not possible(pattern, text):
        return []
    parts, cuts = _sentences(text)
    held = [parts[n].strip() for n in places(pattern, text, cuts)]
    return [part[start:end] for part in held for start, end in spans(pattern, part)]


def holds(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether `pattern` matches inside any sentence of `text`."""
    if not possible(pattern, text):
        return False
    parts, cuts = _sentences(text)
    return any(matches(pattern, parts[n].strip()) for n in places(pattern, text, cuts))


@lru_cache(maxsize=64)
def _clauses(text: str) -> tuple[Sequence[str], Sequence[int]]:
    """The clauses of a text, and where all but the first begin."""
    if ";" in text:
        text = _LISTED.sub(lambda found: found[0].replace(";", ","), text)
    return _parts(text, _CLAUSE_END if possible(_CLAUSE_WORD, text) else _CLAUSE_MARK)


@lru_cache(maxsize=64)
def _sentences(text: str) -> tuple[Sequence[str], Sequence[int]]:
    """The sentences of a text, not trimmed, and where all but the first begin."""
    return _parts(text, _SENTENCE_END)


def _parts(text: str, end: re.Pattern[str]) -> tuple[Sequence[str], Sequence[int]]:
    """A text cut where `end`, one group, matches, and where all parts but the first begin."""
    pieces = end.split(text)
    return pieces[::2], list(accumulate(map(len, pieces)))[1::2]


@lru_cache(maxsize=64)
def _turned(text: str) -> frozenset[int]:
    """The clauses of a text, by their places, that hold what a denial needs."""
    parts, cuts = _clauses(text)
    return frozenset([n for n in places(_TURN, text, cuts) if matches(_TURN, parts[n])])


@lru_cache(maxsize=64)
def reach(before: str) -> str:
    """The end of `before` that still governs the phrase after it: what follows the last word that opens a scope."""
    low = _without_seen(folded(before))
    starts = [match.end() for match in _SCOPE_START.finditer(low)]
    return before[starts[-1] if starts else 0 : len(low)]


def _polarity(before: str, after: str, text: str) -> Polarity:
    """What a clause of a text says of a phrase, from its words before and after."""
    may, low = _denials(text), folded(before)
    governing = folded(reach(before)) if "unassessed" in may or _DENIED_BEFORE.search(_without_seen(low)) else ""
    if _left_open(before, after, governing, may):
        return Polarity.UNASSESSED
    inverted = spans(_ABSENT_ARE, before) if "absent are" in may else ()
    if inverted and not _SCOPE_START.search(_SEEN_FIRST.sub("", _SEEN_NEXT.sub("", low[inverted[-1][1] :]))):
        return Polarity.DENIED
    if _DENIED_BEFORE.search(governing) or ("aside" in may and _ASIDE.match(after)):
        return Polarity.DENIED
    behind = ("denied after" in may and matches(_DENIED_AFTER, _predicate(after))) or (
        "list denied" in may and matches(_LIST_DENIED, after)
    )
    if behind:
        return Polarity.DENIED
    doubted = ("doubted" in may and matches(_DOUBTED, _to_its_end(after))) or _of_the_denied(before)
    return Polarity.UNCLEAR if doubted else Polarity.AFFIRMED


def _without_seen(low: str) -> str:
    """A folded text without a word of seeing that it ends with; most end with none."""
    return _SEEN_NEXT.sub("", low) if low.rstrip().endswith(_SEEN_ENDS) else low


def _left_open(before: str, after: str, governing: str, may: frozenset[str]) -> bool:
    """Whether a clause leaves a phrase undecided, ahead of it or behind."""
    if "unassessed" in may and (matches(_UNASSESSED, governing) or matches(_UNASSESSED, _predicate(after))):
        return True
    return bool("left open" in may and matches(_LEFT_OPEN, before)) or ("stays open" in may and _stays_open(after))


@lru_cache(maxsize=64)
def _denials(text: str) -> frozenset[str]:
    """The names of the patterns of denials and open questions that may match in a text; all where its words are set apart oddly."""
    if "_" in text or not singly_spaced(text):
        return frozenset(_DENIALS)
    return frozenset(name for name, _ in _ASKED.possible(text))


def _stays_open(after: str) -> bool:
    """Whether what follows says that the phrase cannot be decided, with no other statement in between."""
    found = _STAYS_OPEN.search(after)
    return found is not None and not _SCOPE_START.search(folded(after[: found.start()]))


def _of_the_denied(before: str) -> bool:
    """Whether a phrase belongs to what is denied ahead of it, with neither verb nor comma in between: "no plaques with silvery scale"."""
    *_, last = [None, *_DENIED_BEFORE.finditer(folded(before))]
    return last is not None and _BELONGS.fullmatch(before, last.end()) is not None


def _to_its_end(after: str) -> str:
    """What follows a phrase, up to the comma behind its verb, or up to "and" behind some words: beyond that, another one may be spoken of."""
    own = _OWN_WORDS.match(after)
    after = own[1] if own else after
    verb = _VERB.search(folded(after))
    return after[: verb.end()] + after[verb.end() :].split(",", 1)[0] if verb else after


def _predicate(after: str) -> str:
    """What is said from the first verb after a phrase, or after the list that it opens: six words, to a comma or "and".

    Empty if another verb, unknown here, may stand between the phrase and that verb: two words, or seven that qualify the phrase.
    """
    low = folded(after)
    gap = _GAP_END.search(low)
    if gap is None or len(words(after[: gap.start()])) > (7 if _QUALIFIED.match(low) else 2):
        return ""
    verb = _VERB.search(low, gap.start())
    return " ".join(_NEXT_ITEM.split(after[verb.start() :], maxsplit=1)[0].split()[:6]) if verb else ""
