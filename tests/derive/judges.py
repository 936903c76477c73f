"""A judge on the scripted server, built as a run builds it."""

from __future__ import annotations

from tttbench.core.judging import JudgeSettings
from tttbench.core.plugins import build_deriver
from tttbench.core.system import SystemOptions
from tttbench.derive.judge.deriver import Judge

from .judge_server import MODEL


def settings(**options: str) -> JudgeSettings:
    return JudgeSettings.of("answer", {"judge": f"openai_chat:{MODEL}", **options})


def judge(**options: str) -> Judge:
    made = build_deriver(settings(**options).deriver, SystemOptions())
    assert isinstance(made, Judge)
    return made
