"""``transformers``' own cached ``generate`` on the weights of a reference model, forced to a given answer."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from reference_model.transformer import TtTModel

# Not an import: the library types some of its calls and not others, and strict checks stumble over the mixture.
transformers: Any = importlib.import_module("transformers")


class _Script:
    """A logits processor that makes the greedy choice the next given token, and notes when the first logits came."""

    def __init__(self, forced: Sequence[int], n_prompt: int) -> None:
        self._forced = forced
        self._n_prompt = n_prompt
        self.first_logits_s = 0.0

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        at = ids.shape[1] - self._n_prompt
        if at == 0:
            self.first_logits_s = time.perf_counter()
        scores[:, self._forced[at]] = torch.inf
        return scores


class TransformersLoop:
    """``Qwen2ForCausalLM`` over the very tensors of a reference model."""

    def __init__(self, model: TtTModel) -> None:
        """Share the weights as the model's first decode pass laid them out, which suits one row here no less."""
        config = model.config
        with torch.device("meta"):
            self._model = transformers.Qwen2ForCausalLM(
                transformers.Qwen2Config(
                    vocab_size=config.vocab_size,
                    hidden_size=config.hidden_size,
                    intermediate_size=config.intermediate_size,
                    num_hidden_layers=config.num_hidden_layers,
                    num_attention_heads=config.num_attention_heads,
                    num_key_value_heads=config.num_key_value_heads,
                    max_position_embeddings=config.max_position_embeddings,
                    rms_norm_eps=config.rms_norm_eps,
                    rope_theta=config.rope_theta,
                    tie_word_embeddings=config.tie_word_embeddings,
                    bos_token_id=None,
                    eos_token_id=None,
                    attn_implementation="sdpa",
                )
            )
        self._model.load_state_dict(model.state_dict(), assign=True)
        self._model.tie_weights()
        # Buffers aren't part of a state dict, and what was made on "meta" holds no numbers.
        rotary = self._model.model.rotary_emb
        self._model.model.rotary_emb = type(rotary)(self._model.config, device=model.device)
        self._model.eval()

    @torch.inference_mode()
    def next_logits(self, prompt: Sequence[int]) -> Tensor:
        """(ids,) logits behind the prompt."""
        logits: Tensor = self._model(torch.tensor([list(prompt)], device=self._model.device)).logits[0, -1]
        return logits

    @torch.inference_mode()
    def after_prefill_s(self, prompt: Sequence[int], forced: Sequence[int]) -> float:
        """Seconds from the first logits to the end of the answer.

        Raises:
            RuntimeError: if the answer isn't ``forced``.
        """
        script = _Script(forced, len(prompt))
        ids = torch.tensor([list(prompt)], device=self._model.device)
        out = self._model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=len(forced),
            do_sample=False,
            use_cache=True,
            logits_processor=transformers.LogitsProcessorList([script]),
        )
        taken_s = time.perf_counter() - script.first_logits_s
        if out[0, len(prompt) :].tolist() != list(forced):
            raise RuntimeError("transformers wrote another answer than the forced one")
        return taken_s
