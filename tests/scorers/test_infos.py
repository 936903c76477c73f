"""What every shipped scorer says of its metric, which pages, gate and intervals go by; what it reads and is made of."""

from __future__ import annotations

import pytest

from tttbench.core.plugins import build_scorer, scorers
from tttbench.core.scorer import ScoreSpec

EARS = {"transcriber": "ears"}
JUDGE = {"judge": "openai_chat:m"}
ENGLISH = "en@1"

SCORERS = {
    # name: options, (unit, scale, direction, aggregation, lowest, highest), what it reads, beginning of its recipe
    "wer": ({}, ("%", 100, "lower", "rate", 0, None), {"text"}, f"wer@1; {ENGLISH}"),
    "wer_mean": ({}, ("%", 100, "lower", "value", 0, None), {"text"}, f"wer_mean@1; {ENGLISH}"),
    "cer": ({}, ("%", 100, "lower", "rate", 0, None), {"text"}, f"cer@1; {ENGLISH}"),
    "cer_zh": ({}, ("%", 100, "lower", "rate", 0, None), {"text"}, "cer_zh@1; zh@2"),
    "mer": ({}, ("%", 100, "lower", "rate", 0, None), {"text"}, "mer@1; mixed@1"),
    "repetition": ({}, ("%", 100, "higher", "value", 0, 1), {"text"}, "repetition@1; whisper-en@1"),
    "spoken_repetition": (EARS, ("%", 100, "higher", "value", 0, 1), {"audio"}, "spoken_repetition@1; whisper-en@1"),
    "inserted_words": ({}, ("1/min", 1, "lower", "rate", 0, None), {"text"}, f"inserted_words@1; {ENGLISH}"),
    "inserted_characters": ({}, ("1/min", 1, "lower", "rate", 0, None), {"text"}, "inserted_characters@1; zh@2"),
    "clips_with_words": ({}, ("%", 100, "lower", "binary", 0, 1), {"text"}, f"clips_with_words@1; {ENGLISH}"),
    "self_wer": (EARS, ("%", 100, "lower", "rate", 0, 1), {"audio", "text"}, f"self_wer@2; {ENGLISH}"),
    "text_accuracy": ({}, ("%", 100, "higher", "binary", 0, 1), {"text"}, f"text_accuracy@1; {ENGLISH}"),
    "spoken_accuracy": (EARS, ("%", 100, "higher", "binary", 0, 1), {"audio"}, f"spoken_accuracy@1; {ENGLISH}"),
    "spoken_gap": (EARS, ("points", 100, "none", "value", -1, 1), {"audio", "text"}, f"spoken_gap@1; {ENGLISH}"),
    "answer": (JUDGE, ("%", 100, "higher", "binary", 0, 1), {"text"}, "answer@1; judge: openai_chat:m"),
    "spoken_answer": (
        {**JUDGE, **EARS},
        ("%", 100, "higher", "binary", 0, 1),
        {"audio"},
        "spoken_answer@1; transcriber: whisper 1; judge: openai_chat:m",
    ),
    "answer_gap": (
        {**JUDGE, **EARS},
        ("points", 100, "none", "value", -1, 1),
        {"audio", "text"},
        "answer_gap@1; transcriber: whisper 1; judge: openai_chat:m",
    ),
    "conversation": (JUDGE, ("", 1, "higher", "value", 1, 5), {"text"}, "conversation@1; judge: openai_chat:m"),
    "spoken_conversation": (
        {**JUDGE, **EARS},
        ("", 1, "higher", "value", 1, 5),
        {"audio"},
        "spoken_conversation@1; transcriber: whisper 1; judge: openai_chat:m",
    ),
    "answered": ({}, ("%", 100, "higher", "binary", 0, 1), set(), "answered@1"),
    "cider_d": ({}, ("", 1, "higher", "value", 0, 10), {"text"}, "cider_d@1; caption-words@1"),
    "clair_a": (JUDGE, ("", 1, "higher", "value", 0, 100), {"text"}, "clair_a@1; fense=none; judge: openai_chat:m"),
    "fense": ({}, ("", 1, "higher", "value", -1, 1), {"text"}, "fense@1; networks=fense"),
    "rouge_l": ({}, ("%", 100, "higher", "value", 0, 1), {"text"}, "rouge_l@1; caption-words@1"),
    "spoken_s": ({}, ("s", 1, "none", "value", 0, None), {"audio"}, "spoken_s@1"),
    "silence": ({}, ("%", 100, "none", "value", 0, 1), {"audio"}, "silence@1"),
    "clipping": ({}, ("%", 100, "lower", "value", 0, 1), {"audio"}, "clipping@1"),
    "dnsmos": ({}, ("", 1, "higher", "value", None, None), {"audio"}, "dnsmos@1; of=ovrl,predictor="),
    "plcmos": ({}, ("", 1, "higher", "value", None, None), {"audio"}, "plcmos@1; of=plcmos,predictor="),
    "utmos": ({}, ("", 1, "higher", "value", None, None), {"audio"}, "utmos@1; of=utmos,predictor="),
    "speaker_similarity": (
        {},
        ("", 1, "higher", "value", -1, 1),
        {"audio"},
        "speaker_similarity@1; embedding=",
    ),
    "multiple_choice": ({}, ("%", 100, "higher", "binary", 0, 1), {"text"}, "multiple_choice@1; choice_forms@1"),
    "ifeval": (
        {},
        ("%", 100, "higher", "binary", 0, 1),
        {"text"},
        "ifeval@1; ifeval_checks@1; level=prompt,mode=strict; denominator checkable@1",
    ),
    "refusal": ({}, ("%", 100, "higher", "binary", 0, 1), {"text"}, "refusal@1; voicebench_phrases@1"),
    "nearest_rendition": ({}, ("%", 100, "lower", "rate", 0, 1), {"codes"}, "nearest_rendition@1; rapidfuzz"),
    "oracle_agreement": (
        {"oracle": "slow"},
        ("%", 100, "higher", "rate", 0, 1),
        {"codes"},
        "oracle_agreement@1; oracle=slow",
    ),
}


def test_the_table_has_every_shipped_scorer() -> None:
    assert {name for name in SCORERS if name not in scorers.names()} == set()
    ours = {name for name in scorers.names() if scorers.get(name).factory.__module__.startswith("tttbench.scorers")}
    assert ours == set(SCORERS)


@pytest.mark.parametrize("name", SCORERS)
def test_a_metric_is_what_its_scorer_says(name: str) -> None:
    options, facts, reads, recipe = SCORERS[name]
    scorer = build_scorer(ScoreSpec(name, name, options))
    info = scorer.info
    found = (info.unit, info.scale, info.direction, info.aggregation, info.lowest, info.highest)
    assert found == facts
    assert scorer.reads == reads
    made = scorer.recipe({"transcriber:ears": "whisper 1"})
    assert str(made).startswith(recipe)
    assert (made.transcriber, scorer.recipe({}).transcriber) == (
        ("whisper 1", "ears") if "transcriber" in options else ("", "")
    )
