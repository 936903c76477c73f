"""The normalizers give what they are named after, at any speed."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

from tttbench.core.plugins import normalizers
from tttbench.text.steps import stepwise
from tttbench.text.whisper_english import WhisperEnglish

CHINESE, RAW, WHISPER_BASIC, WHISPER_ENGLISH = map(normalizers.get, ("zh", "raw", "whisper-basic", "whisper-en"))
OPENAI_ENGLISH = EnglishTextNormalizer()
OPENAI_BASIC = BasicTextNormalizer()

# Everything that some rule of Whisper's looks at, ordinary words, and things that reach across words.
RULED = """
won't can't let's ain't y'all wanna gotta mr mrs st dr jr he'd it's been gone done got 'tis rock'n'roll um hmm um's
the a an colour behalf half kinda cause caf\u00e9 well-known \ufb01ve \u0130 Twenty-One U.S. a.m. o'clock
5 12 3.5 $3 $0 ¢5 0 007 1,000 1-2-3 -3 +4 10% ½ ² \u0663 $ % £ ¢ s th . ... Wait... end. and, five. ?! \u00b4 \u2019
"""
WORDS = [
    *sorted(OPENAI_ENGLISH.standardize_numbers.words),
    *RULED.split(),
    *["and a half", "(x)", "[y", "z]", "\n", "", "5\u00a0s"],
]


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("It costs twenty-two dollars.", "it costs $22"),
        ("One hundred and two men", "102 men"),
        ("Salt and two eggs and one hundred", "salt and 2 eggs and 100"),
        ("the cause of it", "the cause of it"),
        ("I dunno, kinda", "i dunno kinda"),
        ("day and a half", "day and a half"),
        ("Wait...", "wait ."),
        ("what's Colour [noise] (laughs) um", "what is color"),
        ("", ""),
        # A run of ruled words in the middle, at the end, and one that closes up to its neighbor.
        ("we have two hundred and three ships", "we have 203 ships"),
        ("ships and two and", "ships and 2 and"),
        ("five and ships", "5 and ships"),
        ("um it is um", "it is"),
        ("two, and colour, or 5 ships.", "2 and color or 5 ships"),
        ("red five percent blue", "red 5% blue"),
        ("won't you, Mr. X", "will not you mister x"),
        ("all the 5 s", "all the 5s"),
    ],
)
def test_whisper_english_hand_worked(text: str, normalized: str) -> None:
    assert WHISPER_ENGLISH.normalize(text).strip() == normalized


@pytest.mark.parametrize(
    ("text", "normalized", "asked"),
    [
        ("big dogs, and colour!", "big dogs and color", []),
        ("and dogs and", "and dogs and", []),
        ("we have two hundred and three ships", "we have 203 ships", ["two hundred and three"]),
        ("sail two, or five, ships.", "sail 2 or 5 ships", ["two,", "five,"]),
        ("dogs five and ships two and", "dogs 5 and ships 2 and", ["five and", "two and"]),
        ("um it is um", "it is", ["um"]),  # kept from the first
        ("dogs um bark", "dogs bark", ["um"]),
        ("five percent", "5%", ["five percent"]),
        # What may act on its neighbors goes through the rules whole, and so does a text with something of the kind.
        ("wait ... here", "wait here", ["...", "wait ... here"]),
        ("dogs ...", "dogs .", ["...", "dogs ..."]),
        ("it costs $5 a day", "it costs $5 a day", ["it costs $5 a day"]),
        ("dogs [bark] loud", "dogs loud", ["dogs [bark] loud"]),
    ],
)
def test_the_rules_are_asked_only_where_they_can_change_something(
    monkeypatch: pytest.MonkeyPatch, text: str, normalized: str, asked: list[str]
) -> None:
    english, found = WhisperEnglish(), list[str]()
    rules = english._by_package

    def noting(part: str) -> str:
        found.append(part)
        return rules(part)

    monkeypatch.setattr(english, "_by_package", noting)
    assert (english(text).strip(), found) == (normalized, asked)


def test_whisper_basic_hand_worked() -> None:
    assert WHISPER_BASIC.normalize("Café, [noise] B! (x) Don't").split() == ["café", "b", "don", "t"]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_whisper_english_equals_openai_whisper_on_ruled_words(text: str) -> None:
    assert WHISPER_ENGLISH.normalize(text) == OPENAI_ENGLISH(text)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_whisper_english_equals_openai_whisper_on_any_text(text: str) -> None:
    assert WHISPER_ENGLISH.normalize(text) == OPENAI_ENGLISH(text)


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_whisper_basic_equals_openai_whisper(text: str) -> None:
    assert WHISPER_BASIC.normalize(text) == OPENAI_BASIC(text)


def test_whisper_english_equals_openai_whisper_on_real_sentences(shared_data: Path) -> None:
    with (shared_data / "ljspeech" / "metadata.csv").open(encoding="utf-8") as file:
        texts = [line.split("|")[1] for line in file]
    with (shared_data / "llama_questions" / "llama_questions_300.tsv").open(encoding="utf-8") as file:
        texts += [row["Questions"] + " " + row["Answer"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(texts) >= 120
    assert [WHISPER_ENGLISH.normalize(text) for text in texts] == [OPENAI_ENGLISH(text) for text in texts]


@pytest.mark.slow
def test_whisper_english_equals_openai_whisper_on_all_published_hypotheses(shared_data: Path) -> None:
    """References and answers of three systems, upper case and without punctuation, as ASR corpora are."""
    files = sorted((shared_data / "asr_hypotheses").glob("*.tsv"))
    lines = [line.split("\t", 1)[1] for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    assert (len(files), len(lines)) == (4, 4 * 2620)
    differing = [text for text in dict.fromkeys(lines) if WHISPER_ENGLISH.normalize(text) != OPENAI_ENGLISH(text)]
    assert differing == []


def test_the_package_differs_from_openai_whisper_in_four_words_alone() -> None:
    from whisper_normalizer.english import EnglishTextNormalizer as PackageNormalizer

    package, openai = PackageNormalizer().replacers, OPENAI_ENGLISH.replacers
    more = {pattern: text for pattern, text in package.items() if openai.get(pattern) != text}
    assert set(more) == {rf"\b{word}\b" for word in ("kinda", "sorta", "dunno", "cause")}
    assert set(openai) <= set(package)


def test_a_number_too_long_to_parse_is_kept_as_it_is() -> None:
    assert WHISPER_ENGLISH.normalize("It is " + "9" * 5000 + ".").split() == ["it", "is", "9" * 5000]
    assert WHISPER_ENGLISH.normalize("Café " + "9" * 5000).split() == ["cafe", "9" * 5000]


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("你好,世界!", "你好世界"),
        ("你好\uff0c 世界\u3002\n", "你好世界"),
        ("\uff34\uff54\uff34\uff11\uff12号", "ttt12号"),  # full-width letters and digits
        ("《红楼梦》——50%", "红楼梦50%"),
        ("\u0939\u093f ?L", "\u0939\u093fl"),  # a vowel sign is a mark, which stays
        ("", ""),
    ],
)
def test_chinese_keeps_bare_half_width_characters(text: str, characters: str) -> None:
    assert CHINESE.normalize(text) == characters


def test_raw_only_collapses_white_space() -> None:
    assert RAW.normalize("  Twelve\tMen,\n one ") == "Twelve Men, one"


def test_recipe_names_normalizer_version_and_package() -> None:
    assert WHISPER_ENGLISH.recipe.startswith("whisper-en@1 (whisper-normalizer 0.")
    assert RAW.recipe == "raw@1"
    assert CHINESE.recipe == "zh@2"
    assert normalizers.get("zh-hans").recipe.startswith("zh-hans@1 (opencc-purepy 1.")
    assert normalizers.get("en").recipe.startswith("en@1 (whisper-normalizer 0.")


def test_all_are_found_by_name() -> None:
    single = {"en", "basic", "whisper-en", "whisper-basic", "zh", "zh-hans", "raw", "mixed"}
    assert set(normalizers.names()) == single | set(stepwise())
    assert all(normalizers.get(name).name == name for name in normalizers.names())
