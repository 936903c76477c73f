"""WER and CER of single samples, and of a real corpus."""

import json
import math
from importlib.metadata import version
from pathlib import Path

import pytest

from tttbench.core.records import Sample, Status
from tttbench.core.scorer import Answer
from tttbench.scorers.aggregate import corpus_edits
from tttbench.scorers.cer import CER, CER_ZH
from tttbench.scorers.edit_rate import EditRate
from tttbench.scorers.wer import WER
from tttbench.text.alignment import align_words
from tttbench.text.normalizers import RAW


def sample(reference: str) -> Sample:
    return Sample(id="s", kind="asr", audio=None, reference=reference)


def test_wer_normalises_both_texts() -> None:
    score = WER.score(sample("Mr. Smith has twelve colours"), Answer("mister smith has 12 colors."))
    assert (score.value, score.numerator, score.denominator, score.status) == (0.0, 0.0, 5.0, "ok")


def test_wer_hand_worked() -> None:
    score = WER.score(sample("the cat sat on the mat"), Answer("The hat sat the mat now."))
    assert (score.value, score.numerator, score.denominator) == (0.5, 3.0, 6.0)
    assert {k: score.detail[k] for k in ("hits", "substitutions", "deletions", "insertions")} == {
        "hits": 4,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 1,
    }
    assert score.detail["hypothesis"] == "the hat sat the mat now"


def test_detail_is_plain_json() -> None:
    detail = dict(WER.score(sample("a b"), Answer("a c d")).detail)
    assert json.loads(json.dumps(detail)) == detail


def test_empty_reference_counts_insertions_over_nothing() -> None:
    score = WER.score(sample("[noise]"), Answer("hello there"))
    assert (score.numerator, score.denominator, score.status) == (2.0, 0.0, "ok")
    assert math.isnan(score.value)


def test_silence_heard_as_silence_is_ok() -> None:
    assert WER.score(sample(""), Answer("")).status == "ok"


@pytest.mark.parametrize("text", ["", "  ", "...", "[BLANK_AUDIO]"])
def test_empty_answer_deletes_everything(text: str) -> None:
    score = CER.score(sample("ab c"), Answer(text))
    assert (score.value, score.status, score.detail["deletions"]) == (1.0, "empty", 4)


@pytest.mark.parametrize("status", ["error", "unparsed"])
def test_no_answer_deletes_everything_whatever_was_written(status: Status) -> None:
    score = WER.score(sample("one two three"), Answer("123", status=status))
    assert (score.numerator, score.denominator, score.status) == (1.0, 1.0, status)


def test_a_failed_judge_does_not_concern_the_written_text() -> None:
    assert WER.score(sample("yes"), Answer("yes", status="judge_failed")).status == "ok"


def test_cer_counts_spaces() -> None:
    score = CER.score(sample("ab cd"), Answer("abcd"))
    assert (score.numerator, score.denominator) == (1.0, 5.0)


def test_chinese_cer_hand_worked() -> None:
    score = CER_ZH.score(sample("今天天气很好。"), Answer("今天 天汽好!"))
    assert (score.numerator, score.denominator) == (2.0, 6.0)  # one substituted, one deleted


def test_recipe_names_all_that_made_it() -> None:
    recipe = WER.score(sample("a"), Answer("a")).recipe
    assert recipe.startswith("wer-1; whisper_english-1 (whisper-normalizer ")
    assert recipe.endswith(f"; jiwer {version('jiwer')}")


def read_tsv(path: Path) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(("system", "percent"), [("rnnt", 3.654), ("rnnt_nnlm", 2.790), ("biased", 2.282)])
def test_corpus_wer_of_published_hypotheses(shared_data: Path, system: str, percent: float) -> None:
    folder = shared_data / "asr_hypotheses"
    references = read_tsv(folder / "librispeech_test_clean.ref.tsv")
    hypotheses = read_tsv(folder / f"librispeech_test_clean.{system}.tsv")
    assert len(references) == 2620
    raw_wer = EditRate("wer_raw", "", RAW, align_words)
    scores = []
    for key, reference in references.items():
        scores.append(raw_wer.score(sample(reference), Answer(hypotheses[key])))
    assert round(100 * corpus_edits(scores).rate, 3) == percent
    assert round(100 * sum(s.numerator for s in scores) / sum(s.denominator for s in scores), 3) == percent
