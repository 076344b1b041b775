"""Text as it comes from anywhere, for property tests: emoji, Thai, right to left, combining marks, invisible marks."""

from hypothesis import strategies as st

_PIECES = [
    *"aAzZ.!?,:;-*#>|`\"'’”“()0189 \t\n\r",
    "\r\n", "\n\n", "\n# ", "\n- ", "\n1. ", "\n```\n", "\n> ", "| a | b |\n|---|---|\n", "---\n", "\n    ",
    "🦉", "👩🏽\u200d🚀", "🇱🇦", "ก", "ำ", "ภาษาไทยไม่มีวรรค", "ລາວ", "中文句子。", "שלום", "مرحبا بكم؟", "नमस्ते।",
    "\u200b", "\u200d", "\u200f", "\u202e", "\ufeff", "\u00ad", "\u00a0", "\u2028", "\x00", "\x1b", "\ud800",
    "e\u0301", "\u0301", "ﬁ", "İ", "ß",
    "Words of a sentence. ", "A Headline Of Words", "2 May 2024", "Advertisement", "spot_img", "Mr. Reyk said. ",
]  # fmt: skip

pieces = st.one_of(st.sampled_from(_PIECES), st.characters())
texts = st.lists(pieces, max_size=60).map("".join)
