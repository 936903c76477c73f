"""WER and CER of single samples, and of a real corpus."""

import json
import math
from importlib.metadata import version
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import Scorer, ScoreSpec
from tttbench.scorers.edit_rates import corpus_edits
from tttbench.scorers.presets import PRESETS, with_preset
from tttbench.text.alignment import EditCounts

from .views import Seen, sample


def scorer(name: str, **options: str) -> Scorer:
    return build_scorer(ScoreSpec(name, name, options))


WER, CER, CER_ZH = (scorer(name) for name in ("wer", "cer", "cer_zh"))


def score(of: Scorer, reference: str, text: str, status: Status = "ok") -> Score:
    found = of.score(sample(reference), Seen(text, status=status))
    assert found is not None
    return found


def test_wer_normalizes_both_texts() -> None:
    found = score(WER, "Mr. Smith has twelve colours", "mister smith has 12 colors.")
    assert (found.value, found.numerator, found.denominator, found.status) == (0.0, 0.0, 5.0, "ok")


def test_wer_hand_worked() -> None:
    found = score(WER, "the cat sat on the mat", "The hat sat the mat now.")
    assert (found.value, found.numerator, found.denominator) == (0.5, 3.0, 6.0)
    assert {k: found.detail[k] for k in ("hits", "substitutions", "deletions", "insertions")} == {
        "hits": 4,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 1,
    }
    assert found.detail["hypothesis"] == "the hat sat the mat now"


def test_a_score_is_shown_with_its_edits() -> None:
    found = score(WER, "A cat!", "a hat")
    steps = [{"op": "equal", "ref": "a", "hyp": "a"}, {"op": "substitute", "ref": "cat", "hyp": "hat"}]
    assert found == Score(
        0.5,
        1.0,
        2.0,
        "ok",
        {
            "hits": 1,
            "substitutions": 1,
            "deletions": 0,
            "insertions": 0,
            "reference": "a cat",
            "hypothesis": "a hat",
            "alignment": steps,
        },
    )
    assert list(WER.needs(sample("a"), Seen("a", "a"))) == []


def test_edits_of_a_corpus_are_the_sums_of_all_kinds() -> None:
    scores = [score(WER, "a b c d", "a x c"), score(WER, "a", "a b c")]
    assert corpus_edits(scores) == EditCounts(hits=3, substitutions=1, deletions=1, insertions=2)
    assert corpus_edits([]) == EditCounts(0, 0, 0, 0)


def test_detail_is_plain_json() -> None:
    detail = dict(score(WER, "a b", "a c d").detail)
    assert json.loads(json.dumps(detail)) == detail


def test_empty_reference_counts_insertions_over_nothing() -> None:
    found = score(WER, "[noise]", "hello there")
    assert (found.numerator, found.denominator, found.status) == (2.0, 0.0, "ok")
    assert math.isnan(found.value)


def test_silence_transcribed_as_silence_is_ok() -> None:
    assert score(WER, "", "").status == "ok"


@pytest.mark.parametrize("text", ["", "  ", "...", "[BLANK_AUDIO]"])
def test_empty_answer_deletes_everything(text: str) -> None:
    found = score(CER, "ab c", text)
    assert (found.value, found.status, found.detail["deletions"]) == (1.0, "empty", 4)


@pytest.mark.parametrize("status", ["error", "unparsed"])
def test_no_answer_deletes_everything_whatever_was_written(status: Status) -> None:
    found = score(WER, "one two three", "123", status)
    assert (found.numerator, found.denominator, found.status) == (1.0, 1.0, status)


def test_cer_counts_spaces() -> None:
    found = score(CER, "ab cd", "abcd")
    assert (found.numerator, found.denominator) == (1.0, 5.0)


def test_chinese_cer_hand_worked() -> None:
    found = score(CER_ZH, "今天天气很好。", "今天 天汽好!")
    assert (found.numerator, found.denominator) == (2.0, 6.0)  # one substituted, one deleted


def test_recipe_names_all_that_made_it() -> None:
    recipe = WER.recipe({})
    assert recipe.scorer == "wer@1"
    assert recipe.normalizer == f"en@1 (whisper-normalizer {version('whisper-normalizer')})"
    assert recipe.matcher == f"jiwer {version('jiwer')}"


def test_a_recipe_is_a_name_for_options_and_what_is_given_itself_wins() -> None:
    assert scorer("wer", recipe="raw").recipe({}) == scorer("wer", normalizer="raw").recipe({})
    assert scorer("wer", recipe="raw", normalizer="en").recipe({}) == WER.recipe({})
    known = ("normalizer", "recipe", "compounds", "script")
    assert with_preset("wer", {}, known) == {}
    assert with_preset("wer", {"normalizer": "zh", "recipe": ""}, known) == {"normalizer": "zh", "recipe": ""}
    for name, preset in PRESETS.items():
        found = with_preset("self_wer", {"recipe": name, "transcriber": "ears"}, known)
        assert found == {**preset.options, "transcriber": "ears"}


def test_split_and_joined_words_are_forgiven_where_it_is_asked_for() -> None:
    merging = scorer("wer", recipe="open-asr-2026-07")
    found = score(merging, "The white paper on the farm house", "a whitepaper on the farmhouse")
    assert (found.numerator, found.denominator) == (1.0, 7.0)
    assert score(WER, "The white paper on the farm house", "a whitepaper on the farmhouse").numerator == 5.0
    assert merging.recipe({}).matcher == f"merged_compounds@1, jiwer {version('jiwer')}"
    assert merging.recipe({}).digest != scorer("wer", normalizer="open-asr-2026-07").recipe({}).digest


@pytest.mark.parametrize(
    ("recipe", "reference", "answer", "errors", "units"),
    [
        ("", "我爱 machine learning", "我愛 machine 学习", 3, 4),
        ("kimi-zh", "我有二个 Apple", "我有2个apple。", 0, 5),
        ("ultraeval-zh", "我有二个 Apple", "我有2个 apples。", 1, 5),
        ("raw", "我们", "我", 1, 2),
    ],
)
def test_mixed_texts_are_scored_by_characters_and_words(
    recipe: str, reference: str, answer: str, errors: int, units: int
) -> None:
    found = score(scorer("mer", **({"recipe": recipe} if recipe else {})), reference, answer)
    assert (found.numerator, found.denominator) == (errors, units)


@pytest.mark.parametrize("name", ["cer_zh", "mer", "wer", "wer_mean"])
def test_traditional_characters_are_simplified_where_it_is_asked_for(name: str) -> None:
    made = scorer(name, script="hans", normalizer="whisper-basic")
    assert score(made, "台灣", "台湾").numerator == 0
    assert score(scorer(name, normalizer="whisper-basic"), "台灣", "台湾").numerator > 0
    assert made.recipe({}).options.startswith("script=hans (opencc-purepy 1.")
    with pytest.raises(UserError, match=f"{name}: script=hant: must be 'hans'"):
        scorer(name, script="hant")


def test_the_mean_of_samples_has_a_name_of_its_own() -> None:
    mean = scorer("wer_mean", recipe="seed-tts")
    found = score(mean, "One two three, four", "one two")
    assert (found.value, found.numerator, found.denominator) == (0.5, 0.5, 1.0)
    assert mean.score(sample("..."), Seen("a word")) is None
    assert mean.recipe({}).scorer == "wer_mean@1"
    assert mean.info.column == "WER, mean"
    assert list(mean.needs(sample("a"), Seen("a"))) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "whisper-eng"}, "there is no recipe 'whisper-eng'. Did you mean 'whisper-en'"),
        ({"compounds": "joined"}, "wer:compounds=joined: must be 'merged'"),
        ({"normalizer": "rav"}, "Unknown normalizer 'rav'. Did you mean 'raw'"),
        ({"normaliser": "raw"}, "score wer:normaliser=raw: wer has no option 'normaliser'. Did you mean 'normalizer'"),
    ],
)
def test_what_there_is_not_is_refused_with_the_nearest_name(options: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        scorer("wer", **options)


def test_a_preset_is_refused_by_a_scorer_that_lacks_its_options() -> None:
    message = (
        "cer:recipe=open-asr-2026-07: sets compounds=merged, which cer doesn't have.*cer:normalizer=open-asr-2026-07"
    )
    with pytest.raises(UserError, match=message):
        scorer("cer", recipe="open-asr-2026-07")


def read_tsv(path: Path) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "recipe", "percent"),
    [
        ("wer", "raw", 3.654),
        ("wer_mean", "raw", 4.471),
        ("wer", "whisper-en", 3.538),
        ("wer_mean", "whisper-en", 4.352),
        ("wer", "kimi-en", 3.538),
        ("wer", "ultraeval-en", 3.538),
        ("wer", "seed-tts", 3.654),
        ("wer_mean", "seed-tts", 4.471),
        ("wer", "open-asr-2026-07", 3.137),
    ],
)
def test_what_published_recipes_make_of_published_hypotheses(
    shared_data: Path, name: str, recipe: str, percent: float
) -> None:
    """The values of the published code on the same texts."""
    folder = shared_data / "asr_hypotheses"
    references = read_tsv(folder / "librispeech_test_clean.ref.tsv")
    hypotheses = read_tsv(folder / "librispeech_test_clean.rnnt.tsv")
    chosen = scorer(name, recipe=recipe)
    scores = [score(chosen, reference, hypotheses[key]) for key, reference in references.items()]
    assert round(100 * sum(s.numerator for s in scores) / sum(s.denominator for s in scores), 3) == percent


@pytest.mark.parametrize(("system", "percent"), [("rnnt", 3.654), ("rnnt_nnlm", 2.790), ("biased", 2.282)])
def test_corpus_wer_of_published_hypotheses(shared_data: Path, system: str, percent: float) -> None:
    folder = shared_data / "asr_hypotheses"
    references = read_tsv(folder / "librispeech_test_clean.ref.tsv")
    hypotheses = read_tsv(folder / f"librispeech_test_clean.{system}.tsv")
    assert len(references) == 2620
    raw = scorer("wer", normalizer="raw")
    scores = [score(raw, reference, hypotheses[key]) for key, reference in references.items()]
    assert round(100 * corpus_edits(scores).rate, 3) == percent
    assert round(100 * sum(s.numerator for s in scores) / sum(s.denominator for s in scores), 3) == percent


@pytest.mark.parametrize(
    ("reference", "text", "errors", "units"),
    [
        ("今日は雨です", "今日は雪です", 1, 6),  # one word each by white space
        ("今日は OpenAI の話", "今日はOpenAIの話", 0, 6),  # a word of another script is one unit
        ("สวัสดีครับ", "สวัสดีค่ะ", 3, 7),  # marks belong to the character that they stand at
        ("ສະບາຍດີ", "", 6, 6),
    ],
)
def test_units_may_be_characters_of_scripts_without_spaces(reference: str, text: str, errors: int, units: int) -> None:
    found = score(scorer("wer", normalizer="raw", units="characters"), reference, text)
    assert (found.numerator, found.denominator) == (errors, units)


def test_rates_by_character_say_so_and_have_recipes_of_their_own() -> None:
    for name in ("wer", "wer_mean", "self_wer", "inserted_words"):
        words, characters = scorer(name), scorer(name, units="characters")
        assert "haracter" in characters.info.title
        assert "ord" not in characters.info.title
        assert words.recipe({}) != characters.recipe({})
        assert scorer(name, units="words").recipe({}) == words.recipe({})
    made = str(scorer("wer", recipe="whisper-basic", units="characters").recipe({}))
    assert made.startswith("wer@1; whisper-basic@1")
    assert "characters of scripts without spaces@1" in made
    with pytest.raises(UserError, match=r"wer:units=letters: must be 'words', told apart by white space, or 'char"):
        scorer("wer", units="letters")
    with pytest.raises(
        UserError, match=r"compounds=merged forgives .* Ask for wer:recipe=whisper-basic, or for wer:un"
    ):
        scorer("wer", recipe="open-asr-2026-07", units="characters")
