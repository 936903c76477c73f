"""``ttt:PATH`` on small random checkpoints: the trace adds up, and neither cache nor batch changes an answer."""

from __future__ import annotations

import dataclasses
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_model import checkpoint
from reference_model.config import Objective
from reference_model.decoding import DecodeConfig
from reference_model.decoding.strategy import UNTRAINED
from reference_model.speech.codec import speak
from reference_model.speech.mini import MiniCodec
from reference_model.tokens import TtTTokenizer
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Response, Waveform
from tttbench.core.json_values import JsonValue
from tttbench.core.plugins import build_system, check_system
from tttbench.core.system import SystemOptions
from tttbench.systems.ttt.adapter import TtTSystem
from tttbench.systems.ttt.settings import strategies

from .ttt_checkpoints import DECODE, Folders, answered, write_checkpoint, write_codec


def system_of(folder: Path, strategy: str = "", batch_size: int = 1, **settings: JsonValue) -> TtTSystem:
    system = build_system(f"ttt:{folder}", SystemOptions("cpu", batch_size, strategy, settings))
    assert isinstance(system, TtTSystem)
    return system


def request(
    request_id: str, family: str, audio: Waveform | None = None, rate: int = 0, *, text: str = "", seed: int = 0
) -> Request:
    return Request(request_id, (Message("user", text, audio, rate),), family, seed=seed)


def requests_of(family: str = "qa", count: int = 5) -> list[Request]:
    made = []
    for index in range(count):
        rng = np.random.default_rng(index)
        audio = rng.normal(0, 0.1, 8000 + 3000 * index).astype(np.float32)
        made.append(request(f"r{index}", family, audio, 16_000 if index % 2 else 22_050, seed=index))
    return made


def told(outcome: Response | Exception) -> tuple[object, ...]:
    (response,) = answered([outcome])
    return response.text, response.audio_codes, response.finish_reason, response.trace.commit_step


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_the_cache_changes_no_answer(folders: Folders, objective: Objective) -> None:
    requests = requests_of()
    exact = answered(system_of(folders[objective], cache="exact").generate(requests))
    plain = answered(system_of(folders[objective], cache="none").generate(requests))
    assert list(map(told, exact)) == list(map(told, plain))
    assert any(answer.audio_codes for answer in exact)


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_the_batch_size_changes_no_answer(folders: Folders, objective: Objective) -> None:
    sampled: dict[str, Any] = {"text_temperature": 1.0, "audio_temperature": 1.0}
    requests = requests_of()
    alone = [told(system_of(folders[objective], **sampled).generate([one])[0]) for one in requests]
    for size in (2, 5):
        together = system_of(folders[objective], batch_size=size, **sampled).generate(requests)
        assert [told(answer) for answer in together] == alone


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_the_trace_adds_up(folders: Folders, objective: Objective, batch_size: int) -> None:
    system = system_of(folders[objective], batch_size=batch_size)
    requests = requests_of(count=6)
    answers = [a for at in range(0, 6, batch_size) for a in answered(system.generate(requests[at : at + batch_size]))]
    for answer in answers:
        trace, codes = answer.trace, answer.audio_codes
        assert codes is not None
        assert answer.waveform is not None
        assert sum(chunk.n_samples for chunk in trace.chunks) == len(answer.waveform) == 1280 * len(codes)
        assert sum(commit.n_codes for commit in trace.audio_commits) == sum(trace.spans) == len(codes)
        assert len(trace.commit_step) == len(trace.commit_confidence) == len(codes)
        assert len(trace.text_times_s) == len(trace.text_tokens)
        assert "".join(trace.text_tokens) == answer.text
        assert set(trace.stages_s) == {"encode", "prefill", "text", "audio", "vocode"}
        assert trace.nfe > max(trace.commit_step, default=-1)
        assert answer.waveform.dtype == np.float32
        assert answer.sample_rate == 16_000
    assert any(answer.audio_codes for answer in answers)
    # However many share a call, no second is counted twice.
    for at in range(0, 6, batch_size):
        of_call = [answer.trace for answer in answers[at : at + batch_size]]
        assert sum(sum(trace.stages_s.values()) for trace in of_call) <= max(trace.end_s for trace in of_call)


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_times_ascend_on_one_clock(folders: Folders, objective: Objective) -> None:
    for one in requests_of():
        (answer,) = answered(system_of(folders[objective]).generate([one]))
        trace = answer.trace
        assert trace.end_s is not None
        assert trace.prefill_end_s is not None
        for times in (
            trace.text_times_s,
            [commit.time_s for commit in trace.audio_commits],
            [chunk.time_s for chunk in trace.chunks],
        ):
            moments = [trace.stages_s["encode"], *times, trace.end_s]
            assert all(earlier <= later for earlier, later in pairwise(moments))
        assert trace.stages_s["encode"] <= trace.prefill_end_s <= trace.end_s
        assert sum(trace.stages_s.values()) <= trace.end_s


def test_speech_is_made_while_the_answer_goes_on(folders: Folders) -> None:
    answers = answered(system_of(folders["hybrid"]).generate([one])[0] for one in requests_of())
    long = [a.trace for a in answers if len(a.trace.audio_commits) > 2 and len(a.trace.chunks) > 1]
    assert long
    for trace in long:
        assert trace.chunks[0].time_s < trace.audio_commits[-1].time_s


def test_the_waveform_is_the_codes_spoken_at_once(folders: Folders) -> None:
    codec = MiniCodec.load(folders["hybrid"].parent / "codec")
    answers = answered(system_of(folders["hybrid"]).generate(requests_of()))
    spoken = [(a.waveform, a.audio_codes) for a in answers if a.audio_codes]
    assert spoken
    for waveform, codes in spoken:
        assert waveform is not None
        np.testing.assert_allclose(waveform, speak(codec, codes), atol=1e-3)


def test_the_prompt_of_the_family_is_used(folders: Folders) -> None:
    asr, qa = (told(system_of(folders["hybrid"]).generate(requests_of(family, 1))[0]) for family in ("asr", "qa"))
    assert asr != qa


def test_written_questions_are_answered(folders: Folders) -> None:
    (answer,) = answered(system_of(folders["hybrid"]).generate([request("w", "qa", text="what is two plus two")]))
    assert answer.trace.nfe > 0


def test_a_request_without_input_is_refused_and_the_others_answered(folders: Folders) -> None:
    empty = [request("none", "qa"), request("silent", "asr", text="hello")]
    first, second, third = system_of(folders["hybrid"], batch_size=3).generate([*empty, *requests_of(count=1)])
    assert isinstance(first, InputError)
    assert "none: has neither audio nor text" in str(first)
    assert isinstance(second, InputError)
    assert not isinstance(third, Exception)


def test_audio_beyond_the_positions_is_refused_with_the_length_that_fits(folders: Folders) -> None:
    long = request("long", "qa", np.zeros(16_000 * 600, np.float32), 16_000)
    (refusal,) = system_of(folders["hybrid"]).generate([long])
    assert isinstance(refusal, InputError)
    assert "600.0 s of audio" in str(refusal)
    assert "but the model has 400. Give at most 2" in str(refusal)


def test_an_answer_ends_with_the_seconds_that_are_waited_for(folders: Folders) -> None:
    system = system_of(folders["ar"], max_audio_tokens=300)
    brief = [dataclasses.replace(one, max_seconds=0.4) for one in requests_of()]
    answers = answered(system.generate(brief))
    assert max(len(answer.audio_codes or ()) for answer in answers) <= 5 + 1
    assert any(answer.finish_reason == "length" for answer in answers)


def test_the_card_says_how_the_answers_were_made(folders: Folders) -> None:
    card = system_of(folders["hybrid"], "threshold:tau=0.7").card
    assert card.strategy == "threshold:tau=0.7"
    settings = dataclasses.asdict(DecodeConfig())
    # Of what is off cards say nothing, as they did before there was any of it.
    for name in ("refresh_every", "block_lengths", "cfg_approximate_reuse", "cfg_approximate_context"):
        del settings[name]
    assert card.settings == {**settings, **DECODE, "strategy": "threshold:tau=0.7"}
    details = card.details
    assert (details["objective"], details["dtype"], details["attention"]) == ("hybrid", "float32", "sdpa")
    assert details["parameters"] == checkpoint.load(folders["hybrid"]).model.n_parameters()
    assert len(card.weights_sha256) == len(card.codec) == 64
    json.dumps([dict(card.settings), dict(details)])
    assert "untrained" not in details


def test_options_at_their_defaults_make_no_other_way_of_decoding(folders: Folders) -> None:
    written, left_out = (system_of(folders["hybrid"], one).card for one in ("threshold:tau=0.90", "threshold"))
    assert (written.strategy, written.digest) == ("threshold", left_out.digest)
    assert system_of(folders["hybrid"], "threshold:tau=0.8").card.strategy == "threshold:tau=0.8"


def test_the_card_says_where_weights_are_untrained_for_their_decoding(folders: Folders) -> None:
    assert system_of(folders["hybrid"], "saber").card.details["untrained"] == UNTRAINED
    listed = {spec.partition(":")[0]: about for spec, about in strategies()}
    assert {name for name, about in listed.items() if UNTRAINED in about} == {"edit", "remdm", "saber"}


def test_the_digest_of_the_card_changes_with_all_that_can_change_an_answer_and_with_nothing_else(
    folders: Folders,
) -> None:
    system = system_of(folders["hybrid"])
    card = system.card
    others = [
        system_of(folders["hybrid"], "threshold:tau=0.7").card,
        system_of(folders["hybrid"], steps_per_block=1).card,
        system_of(folders["ar"]).card,
        dataclasses.replace(card, codec="1" * 64),
        dataclasses.replace(card, prompts={**card.prompts, "qa": "Say it."}),
        dataclasses.replace(card, identity={"server": "2"}),
    ]
    assert len({card.digest, *(one.digest for one in others)}) == 1 + len(others)
    assert system_of(folders["hybrid"], batch_size=4).card.digest == card.digest
    assert dataclasses.replace(card, details={}).digest == card.digest


def test_the_strategy_in_use_is_named(folders: Folders) -> None:
    assert [system_of(folders[objective]).card.strategy for objective in ("hybrid", "ar", "nar")] == [
        "topk",
        "ar",
        "topk",
    ]


def test_systems_share_their_codec(folders: Folders) -> None:
    assert system_of(folders["ar"])._codec is system_of(folders["hybrid"])._codec


def test_a_strategy_that_the_checkpoint_was_not_trained_for_is_refused_before_the_run(folders: Folders) -> None:
    with pytest.raises(UserError, match="'topk' doesn't fit a model trained with objective 'ar'; use strategy='ar'"):
        check_system(f"ttt:{folders['ar']}", SystemOptions(strategy="topk"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SystemOptions(strategy="topq"), "Did you mean 'topk'"),
        (SystemOptions(strategy="threshold:tua=1"), "has no option 'tua'"),
        (
            SystemOptions(settings={"step_per_block": 2}),
            "decode.step_per_block: unknown key. .* 'steps_per_block'",
        ),
        (SystemOptions(settings={"steps_per_block": "2"}), "decode.steps_per_block: must be a whole number, not '2'"),
        (SystemOptions(settings={"cfg": -1}), "cfg=-1.0: expected at least 0"),
        (SystemOptions(settings={"block_lengths": [8, 0]}), r"block_lengths\[1\]=0: expected at least 1"),
        (SystemOptions(settings={"block_lengths": "8"}), "decode.block_lengths: must be a list of values, not '8'"),
        (SystemOptions(settings={"block_lengths": [8, 401]}), "a block of 401 masks doesn't fit .* has 400 positions"),
        (SystemOptions(settings={"audio_temperature": math.nan}), "decode.audio_temperature: must be a finite number"),
        (
            SystemOptions(settings={"cache": "blok"}),
            "decode.cache: must be 'none', 'exact', 'refresh' or 'block'.*mean 'block'",
        ),
    ],
)
def test_mistyped_options_are_refused_before_the_run(folders: Folders, options: SystemOptions, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_system(f"ttt:{folders['hybrid']}", options)


@pytest.fixture
def damaged(tokenizer: TtTTokenizer, tmp_path: Path) -> Path:
    """A checkpoint of its own, to be spoiled."""
    write_codec(tmp_path / "codec")
    return write_checkpoint(tmp_path / "model", tokenizer)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("model/model.safetensors", b"\0" * 100, "model/model.safetensors: not a readable safetensors file"),
        ("model/config.json", b"{", "model/config.json: not readable as JSON"),
        ("model/tokenizer.json", b"{}", "model/tokenizer.json: not a readable tokenizer"),
        ("codec/model.safetensors", b"", "codec/model.safetensors: damaged"),
        ("codec/config.json", b"[]", "codec/config.json: not the configuration of a codec"),
    ],
)
def test_a_damaged_file_is_named(damaged: Path, file: str, content: bytes, message: str) -> None:
    (damaged.parent / file).write_bytes(content)
    with pytest.raises(UserError, match=message):
        system_of(damaged)


def test_a_checkpoint_without_a_codec_says_how_to_name_one(damaged: Path) -> None:
    (damaged / "assistant.json").unlink()
    with pytest.raises(UserError, match=r'assistant.json: names no audio codec.*write {"codec": '):
        system_of(damaged)


def test_a_codec_of_other_codes_is_refused(damaged: Path) -> None:
    write_codec(damaged.parent / "codec", (4, 4))
    with pytest.raises(UserError, match="has 16 codes, but the model was made for 12"):
        system_of(damaged)
