"""How published evaluations have a judge grade: scale, votes, sampling and what counts as 0; the words are ours.

``answer:recipe=voicebench-open`` takes all of one. Asks nobody, and knows no prompt's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = 1
"""Raised whenever the same verdicts may come to another value under a preset."""


@dataclass(frozen=True)
class JudgePreset:
    """A published way of grading, but for its prompt's words.

    Attributes:
        summary: in a line.
        prompt: ours, with the published scale.
        options: votes and sampling; a score that names others takes those.
        times: what a grade is multiplied by to be shown.
        is_mean: whether yes and no are averaged over votes; else the majority counts.
        zeros: whether the code counts an answer without words, and one without a verdict, as 0.
        source: the code, and at which commit or date it was read.
    """

    summary: str
    prompt: str
    source: str
    options: Mapping[str, str] = field(default_factory=dict)
    times: float = 1.0
    is_mean: bool = False
    zeros: bool = False


_THREE = {"votes": "3", "temperature": "0.5", "top_p": "0.95"}
_ONE = {"votes": "1", "temperature": "0", "top_p": "0.95"}
_VOICEBENCH = "MatthewCYM/VoiceBench, api_judge.py and src/evaluator at 53381541"
_URO = "Ruiqi-Yan/URO-Bench, metrics/mark_gpt.py and evaluate.py at 9e74bc04"
_KIMI = "OpenAudioBench as in MoonshotAI/Kimi-Audio-Evalkit, almeval/datasets/ds_refqa.py at 4080c49"


def _graded(sets: str, prompt: str) -> JudgePreset:
    """One of URO-Bench's ways of grading, which differ in their prompts."""
    return JudgePreset(
        f"URO-Bench, {sets}: 1 to 5, mean of three, times 20", prompt, _URO, _THREE, times=20, zeros=True
    )


JUDGE_PRESETS: Mapping[str, JudgePreset] = {
    "voicebench-open": JudgePreset("VoiceBench: 1 to 5, mean of three", "judge-1-5", _VOICEBENCH, _THREE),
    "voicebench-qa": JudgePreset("VoiceBench, SD-QA: majority of three", "judge-binary", _VOICEBENCH, _THREE),
    "uro-open": _graded("open", "judge-1-5"),
    "uro-semi-open": _graded("semi-open", "judge-suggested-1-5"),
    "uro-style": _graded("GenStyle", "judge-style-1-5"),
    "uro-emotion": _graded("UnderEmotion", "judge-emotion-1-5"),
    "uro-safety": _graded("Safety", "judge-privacy-1-5"),
    "uro-language": _graded("Multilingual", "judge-language-1-5"),
    "uro-conversation": _graded("MtBenchEval, whole conversations", "judge-conversation-1-5"),
    "uro-speaker": _graded("SpeakerAware, whole conversations", "judge-speaker-1-5"),
    "uro-qa": JudgePreset(
        "URO-Bench, right or wrong: share of yes among three", "judge-binary", _URO, _THREE, is_mean=True, zeros=True
    ),
    "openaudiobench-open": JudgePreset("OpenAudioBench: 1 to 10, times 10", "judge-1-10", _KIMI, _ONE, times=10),
}
