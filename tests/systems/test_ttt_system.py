"""``ttt:PATH`` on small random checkpoints: the trace adds up, and neither cache nor batch changes an answer."""

import dataclasses
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ttt_checkpoints import DECODE, write_checkpoint, write_codec

from reference_model import checkpoint
from reference_model.decoding import DecodeConfig
from reference_model.speech.mini import MiniCodec
from tttbench.core.errors import InputError, UserError
from tttbench.core.records import Request
from tttbench.core.registry import build_system, check_system
from tttbench.core.system import System, SystemOptions


def system_of(folder: Path, strategy: str = "", batch_size: int = 1, **decode: object) -> System:
    return build_system(f"ttt:{folder}", SystemOptions("cpu", batch_size, None, strategy, decode))


def requests_of(kind: str = "qa", count: int = 5) -> list[Request]:
    made = []
    for index in range(count):
        rng = np.random.default_rng(index)
        audio = rng.normal(0, 0.1, 8000 + 3000 * index).astype(np.float32)
        made.append(Request(f"r{index}", kind, audio, 16_000 if index % 2 else 22_050, seed=index))
    return made


def said(response):
    assert not isinstance(response, Exception), response
    return response.text, response.audio_codes, response.finish_reason, response.trace.commit_step


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_the_cache_changes_no_answer(folders, objective):
    requests = requests_of()
    exact = [said(answer) for answer in system_of(folders[objective], cache="exact").answer(requests)]
    assert exact == [said(answer) for answer in system_of(folders[objective], cache="none").answer(requests)]
    assert any(codes for _, codes, _, _ in exact)


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_the_batch_size_changes_no_answer(folders, objective):
    sampled = {"text_temperature": 1.0, "audio_temperature": 1.0}
    requests = requests_of()
    alone = [said(system_of(folders[objective], **sampled).answer([request])[0]) for request in requests]
    for size in (2, 5):
        together = system_of(folders[objective], batch_size=size, **sampled).answer(requests)
        assert [said(answer) for answer in together] == alone


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_the_trace_adds_up(folders, objective, batch_size):
    system = system_of(folders[objective], batch_size=batch_size)
    requests = requests_of(count=6)
    answers = [a for at in range(0, 6, batch_size) for a in system.answer(requests[at : at + batch_size])]
    for answer in answers:
        trace, codes = answer.trace, answer.audio_codes
        assert sum(packet.n_samples for packet in trace.packets) == len(answer.waveform) == 1280 * len(codes)
        assert sum(commit.n_codes for commit in trace.audio_commits) == sum(trace.spans) == len(codes)
        assert len(trace.commit_step) == len(trace.commit_confidence) == len(codes)
        assert len(trace.text_times_s) == len(trace.text_tokens)
        assert "".join(trace.text_tokens) == answer.text
        stages = {"encode", "prefill", "text", "audio", "vocode"} | ({"wait"} if batch_size > 1 else set())
        assert set(trace.stages_s) == stages
        assert trace.nfe > max(trace.commit_step, default=-1)
        assert (answer.waveform.dtype, answer.sample_rate) == (np.float32, 16_000)
    assert any(answer.audio_codes for answer in answers)


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_times_ascend_on_one_clock(folders, objective):
    for request in requests_of():
        (answer,) = system_of(folders[objective]).answer([request])
        trace = answer.trace
        for times in (
            trace.text_times_s,
            [commit.time_s for commit in trace.audio_commits],
            [packet.time_s for packet in trace.packets],
        ):
            moments = [trace.stages_s["encode"], *times, trace.end_s]
            assert all(earlier <= later for earlier, later in pairwise(moments))
        assert trace.stages_s["encode"] <= trace.prefill_end_s <= trace.end_s
        assert sum(trace.stages_s.values()) <= trace.end_s


def test_speech_is_made_while_the_answer_goes_on(folders):
    answers = [system_of(folders["hybrid"]).answer([request])[0] for request in requests_of()]
    long = [a.trace for a in answers if len(a.trace.audio_commits) > 2 and len(a.trace.packets) > 1]
    assert long
    for trace in long:
        assert trace.packets[0].time_s < trace.audio_commits[-1].time_s


def test_the_waveform_is_the_codes_spoken_at_once(folders):
    codec = MiniCodec.load(folders["hybrid"].parent / "codec")
    spoken = [a for a in system_of(folders["hybrid"]).answer(requests_of()) if a.audio_codes]
    assert spoken
    for answer in spoken:
        np.testing.assert_allclose(answer.waveform, codec.decode(answer.audio_codes), atol=1e-3)


def test_the_prompt_of_the_kind_is_used(folders):
    asr, qa = (said(system_of(folders["hybrid"]).answer(requests_of(kind, 1))[0]) for kind in ("asr", "qa"))
    assert asr != qa


def test_written_questions_are_answered(folders):
    (answer,) = system_of(folders["hybrid"]).answer([Request("w", "qa", None, 0, text="what is two plus two")])
    assert answer.trace.nfe > 0


def test_a_request_without_input_is_refused_and_the_others_answered(folders):
    empty = [Request("none", "qa", None, 0), Request("deaf", "asr", None, 0, text="hello")]
    first, second, third = system_of(folders["hybrid"], batch_size=3).answer([*empty, *requests_of(count=1)])
    assert isinstance(first, InputError)
    assert "none: has neither audio nor text" in str(first)
    assert isinstance(second, InputError)
    assert not isinstance(third, Exception)


def test_audio_beyond_the_positions_is_refused_with_the_length_that_fits(folders):
    request = Request("long", "qa", np.zeros(16_000 * 600, np.float32), 16_000)
    (refusal,) = system_of(folders["hybrid"]).answer([request])
    assert isinstance(refusal, InputError)
    assert "600.0 s of audio" in str(refusal)
    assert "but the model has 400. Give at most 2" in str(refusal)


def test_an_answer_ends_with_the_seconds_that_are_waited_for(folders):
    system = system_of(folders["ar"], max_audio_tokens=300)
    brief = [dataclasses.replace(request, max_seconds=0.4) for request in requests_of()]
    answers = system.answer(brief)
    assert max(len(answer.audio_codes) for answer in answers) <= 5 + 1
    assert any(answer.finish_reason == "length" for answer in answers)


def test_the_card_says_how_the_answers_were_made(folders):
    card = system_of(folders["hybrid"], "threshold:tau=0.7").describe()
    assert card["strategy"] == "threshold:tau=0.7"
    assert card["decode"] == {**dataclasses.asdict(DecodeConfig()), **DECODE, "strategy": "threshold:tau=0.7"}
    assert (card["objective"], card["dtype"], card["attention"]) == ("hybrid", "float32", "sdpa")
    assert card["parameters"] == checkpoint.load(folders["hybrid"]).model.n_parameters()
    assert len(card["weights_sha256"]) == len(card["codec_sha256"]) == 64
    json.dumps(card)


def test_the_strategy_in_use_is_named(folders):
    assert [system_of(folders[objective]).strategy for objective in ("hybrid", "ar", "nar")] == ["topk", "ar", "topk"]


def test_systems_share_their_codec(folders):
    assert system_of(folders["ar"])._codec is system_of(folders["hybrid"])._codec


def test_a_strategy_that_the_checkpoint_was_not_trained_for_is_refused_before_the_run(folders):
    with pytest.raises(UserError, match="'topk' doesn't fit a model trained with objective 'ar'; use strategy='ar'"):
        check_system(f"ttt:{folders['ar']}", SystemOptions(strategy="topk"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SystemOptions(strategy="topq"), "Did you mean 'topk'"),
        (SystemOptions(strategy="threshold:tua=1"), "has no option 'tua'"),
        (SystemOptions(decode={"step_per_block": 2}), "'step_per_block' is unknown. Did you mean 'steps_per_block'"),
        (SystemOptions(decode={"steps_per_block": "2"}), "'steps_per_block': must be a whole number, not '2'"),
        (SystemOptions(decode={"cfg": -1}), "cfg=-1.0: expected at least 0"),
    ],
)
def test_mistyped_options_are_refused_before_the_run(folders, options, message):
    with pytest.raises(UserError, match=message):
        check_system(f"ttt:{folders['hybrid']}", options)


@pytest.fixture
def damaged(tokenizer, tmp_path):
    """A checkpoint of its own, to be spoilt."""
    write_codec(tmp_path / "codec")
    return write_checkpoint(tmp_path / "model", tokenizer)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("model/model.safetensors", b"\0" * 100, "model/model.safetensors: not a readable safetensors file"),
        ("model/config.json", b"{", "model/config.json: not readable as JSON"),
        ("model/tokenizer.json", b"{}", "model/tokenizer.json: not a readable tokenizer"),
        ("codec/model.safetensors", b"", "codec/model.safetensors: damaged"),
        ("codec/config.json", b"[]", "codec/config.json: not the configuration of a mini codec"),
    ],
)
def test_a_damaged_file_is_named(damaged, file, content, message):
    (damaged.parent / file).write_bytes(content)
    with pytest.raises(UserError, match=message):
        system_of(damaged)


def test_a_checkpoint_without_a_codec_says_how_to_name_one(damaged):
    (damaged / "assistant.json").unlink()
    with pytest.raises(UserError, match=r'assistant.json: names no audio codec.*write {"codec": '):
        system_of(damaged)


def test_a_codec_of_other_codes_is_refused(damaged):
    write_codec(damaged.parent / "codec", (4, 4))
    with pytest.raises(UserError, match="has 16 codes, but the model was made for 12"):
        system_of(damaged)
