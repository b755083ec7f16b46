"""What judging will cost, said before anything is sent; and what it has cost so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edit_metrics.backends.chat_judge import ChatPicture
from edit_metrics.backends.chat_pictures import PictureRules
from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError
from edit_metrics.io.header import read_header
from edit_metrics.judge.questions import JudgedEdit, to_request
from edit_metrics.judge.template import JudgeTemplate

_PIXELS_A_TOKEN: Final = 28 * 28
"""Qwen2-VL and Qwen2.5-VL: one token for 28×28 px (Wang et al., 2024). Other families differ by a factor of two or so;
the canaries' own count takes this estimate's place where the server counts."""
_CHARACTERS_A_TOKEN: Final = 4
"""English text, byte-pair encodings."""
_TOKENS_OUT: Final = 110
"""Thirty words of reason, six short fields and the JSON around them; thinking models spend ten times as many."""
_SAMPLE: Final = 32
"""Items whose pictures' headers are read for the estimate."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Per million tokens, in any currency.

    Attributes:
        tokens_in: None: not given, and no cost is named.
    """

    tokens_in: float | None = None
    tokens_out: float | None = None
    currency: str = "USD"

    def cost(self, tokens_in: float, tokens_out: float) -> float | None:
        """Of so many tokens; None without prices."""
        if self.tokens_in is None or self.tokens_out is None:
            return None
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6

    def in_words(self, tokens_in: float, tokens_out: float) -> str:
        """``1.20 USD``; empty without prices."""
        cost = self.cost(tokens_in, tokens_out)
        return "" if cost is None else f"{cost:.2f} {self.currency}"


@dataclass(frozen=True, slots=True)
class TokensPerCall:
    """Expected tokens of one question.

    Attributes:
        measured: counted by the server, not estimated.
    """

    tokens_in: float
    tokens_out: float
    measured: bool = False


def estimate_tokens(edits: Sequence[JudgedEdit], template: JudgeTemplate, rules: PictureRules) -> TokensPerCall:
    """Mean over a sample of the edits, evenly spaced. Unreadable pictures count nothing."""
    step = max(1, len(edits) // _SAMPLE)
    sample = edits[::step][:_SAMPLE]
    total = 0.0
    for edit in sample:
        request = to_request(edit, template, 1)
        texts = [request.system, *(part for part in request.parts if isinstance(part, str))]
        pictures = [part for part in request.parts if isinstance(part, ChatPicture)]
        total += sum(map(len, texts)) / _CHARACTERS_A_TOKEN + sum(_picture_tokens(one, rules) for one in pictures)
    return TokensPerCall(total / max(1, len(sample)), _TOKENS_OUT)


def _picture_tokens(picture: ChatPicture, rules: PictureRules) -> float:
    try:
        header = read_header(picture.load(), DecodeLimits(), "")
    except ImageError:
        return 0.0
    scale = min(1.0, rules.max_side / max(header.width, header.height))
    return header.width * header.height * scale**2 / _PIXELS_A_TOKEN
