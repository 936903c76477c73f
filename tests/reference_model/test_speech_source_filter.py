"""The synthesiser: a harmonic source at the right pitch, repeatable noise, a filter that adds nothing of its own."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from reference_model.speech import features, source_filter
from reference_model.speech.features import HOP, N_MELS, SAMPLE_RATE_HZ
from reference_model.speech.source_filter import FRAME, MARGIN, cut, impulse_train, noise, overlap_add, shape


def spectrum(wave: Tensor) -> Tensor:
    found: Tensor = torch.fft.rfft(wave.double() * torch.hann_window(len(wave), dtype=torch.float64))
    return found.abs()


@pytest.mark.parametrize("f0_hz", [80.0, 125.0, 200.0, 250.0])
def test_energy_lies_on_equal_harmonics(f0_hz: float) -> None:
    train, _ = impulse_train(torch.full((100,), f0_hz))
    found = spectrum(train)  # one bin a Hz
    harmonics = torch.arange(1, int(7900 / f0_hz)) * round(f0_hz)
    peaks = found[harmonics]
    assert float(peaks.max() / peaks.min()) < 1.01
    between = harmonics[:-1] + round(f0_hz) // 2
    assert float(found[between].max()) < 1e-3 * float(peaks.min())


@pytest.mark.parametrize("f0_hz", [60.5, 111.3, 201.0, 390.0])
def test_power_is_one(f0_hz: float) -> None:
    train, _ = impulse_train(torch.full((400,), f0_hz))
    assert float(train.square().mean()) == pytest.approx(1.0, abs=0.02)


def test_pulses_come_at_the_pitch() -> None:
    train, phase = impulse_train(torch.full((100,), 125.0))
    assert int((train > train.max() * 0.99).sum()) == 125
    assert phase == pytest.approx(0, abs=1e-9) or phase == pytest.approx(1, abs=1e-9)


@given(st.lists(st.floats(60, 400), min_size=2, max_size=12), st.data())
def test_phase_goes_on_over_a_cut(pitches: list[float], data: st.DataObject) -> None:
    f0_hz = torch.tensor(pitches)
    at = data.draw(st.integers(1, len(pitches) - 1))
    whole, end = impulse_train(f0_hz)
    first, phase = impulse_train(f0_hz[:at])
    second, also_end = impulse_train(f0_hz[at:], phase)
    # At a pulse the closed form is 0 / 0 and rounding shows most.
    torch.testing.assert_close(torch.cat([first, second]), whole, atol=2e-3, rtol=1e-3)
    assert math.cos(2 * math.pi * end) == pytest.approx(math.cos(2 * math.pi * also_end), abs=1e-6)


def test_no_frames_are_no_samples() -> None:
    train, phase = impulse_train(torch.zeros(0), 0.25)
    assert (len(train), phase) == (0, 0.25)
    assert len(noise(3, 3)) == 0


def test_noise_is_the_same_whenever_a_frame_is_asked_for() -> None:
    torch.manual_seed(0)
    whole = noise(-2, 10)
    torch.manual_seed(1)
    assert torch.equal(noise(3, 6), whole[5 * HOP : 8 * HOP])


def test_noise_has_unit_power_and_is_white() -> None:
    wave = noise(0, 600)
    assert float(wave.square().mean()) == pytest.approx(1, abs=0.03)
    for lag in (1, 7, HOP):
        assert abs(float((wave[lag:] * wave[:-lag]).mean())) < 0.02


def filtered(source: Tensor, envelope: Tensor) -> Tensor:
    side = (FRAME - HOP) // 2
    padded = torch.nn.functional.pad(source, (side, side))[None]
    return overlap_add(shape(cut(padded), envelope[None]))[0, MARGIN:-MARGIN]


def test_a_flat_envelope_gives_the_source_back() -> None:
    source = noise(0, 30)
    out = filtered(source, torch.zeros(N_MELS, 30))
    assert out.shape == source.shape
    inner = slice(3 * HOP, -3 * HOP)  # at the ends fewer frames overlap
    torch.testing.assert_close(out[inner], source[inner], atol=1e-4, rtol=0)


def test_an_envelope_is_a_natural_log_amplitude() -> None:
    source = noise(0, 30)
    out = filtered(source, torch.full((N_MELS, 30), math.log(3.0)))
    inner = slice(3 * HOP, -3 * HOP)
    torch.testing.assert_close(out[inner], 3 * source[inner], atol=5e-4, rtol=0)


def test_a_band_that_is_shut_lets_nothing_through() -> None:
    envelope = torch.zeros(N_MELS, 100)
    envelope[N_MELS // 2 :] = -12.0
    found = spectrum(filtered(noise(0, 100), envelope))  # one bin a Hz
    edge = 700 * (10 ** ((N_MELS / 2 + 1) / (N_MELS + 1) * math.log10(1 + 8000 / 700)) - 1)
    below, above = found[100 : int(edge * 0.8)], found[int(edge * 1.2) : 7900]
    assert float(above.square().mean()) < 1e-4 * float(below.square().mean())


def test_frames_of_one_sample_rate() -> None:
    assert (SAMPLE_RATE_HZ // HOP, FRAME * 1000 // SAMPLE_RATE_HZ) == (100, 40)


def test_what_was_made_while_speaking_can_be_trained_with() -> None:
    for made in (source_filter._band_to_bin, features.mel_filters):
        made.cache_clear()
        with torch.inference_mode():
            assert not made().is_inference()
    envelope = torch.zeros(1, N_MELS, 3, requires_grad=True)
    shape(torch.ones(1, 3, source_filter.FFT // 2 + 1, dtype=torch.complex64), envelope).abs().sum().backward()
    assert envelope.grad is not None
