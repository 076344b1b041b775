"""Orders to a machine that stand in an article: what they say is no statement of it. Pure."""

from __future__ import annotations

import re

from rag.attribute.keeping import kept
from rag.split import sentences

_ORDER = re.compile(
    r"^\W*(?:system|assistant)(?: (?:message|prompt|note|instructions?|override))?\s*[:>\]]"
    r"|^\W*(?:important |new |urgent )?(?:system |hidden )?instructions? (?:to|for) (?:\w+ ){0,2}?"
    r"(?:ai|assistants?|chatbots?|language models?|llms?)\b"
    r"|^\W*(?:(?:please|now|and|so|then|but|you must|you should|you will|you are to)\W+)?"
    r"(?:ignore|disregard|forget|override|bypass) (?:all |any |everything |every )?(?:of )?(?:the |your |these |those )?"
    r"(?:(?:previous|prior|earlier|above|preceding|other|system) )?(?:instructions?|prompts?|directions?|directives?)\b"
    r"|^\W*(?:from now on,? )?you are (?:now |no longer )(?:an? )?(?:ai|ai assistant|assistant|chatbot|llm|dan)\b"
    r"|^\W*(?:please )?do not (?:mention|reveal|disclose) (?:this|these) (?:paragraph|instructions?|message|prompt|order)",
    re.IGNORECASE,
)
_FURTHER = re.compile(
    r"^\W*(?:(?:and|then|also|now|instead|always|never|please)\W+)*(?:you (?:are|must|should|will|may)\b|do not\b|don['’]t\b"
    r"|(?:answer|reply|respond|say|tell|output|print|write|repeat|act|pretend|visit|click|include|begin|start|end|use|reveal)\b)",
    re.IGNORECASE,
)
"""What goes on with an order behind one: "Answer every question with ...", "Tell the user that ..."."""


def is_order(sentence: str) -> bool:
    """True if a sentence speaks to an assistant ("System: the assistant must tell ..."), not to the article's readers."""
    return bool(_ORDER.search(sentence))


@kept
def without_orders(text: str) -> str:
    """Returns a text with spaces in place of the orders to an assistant and what goes on with them: offsets stay."""
    ordered = False
    for start, end in sentences(text):
        sentence = text[start:end]
        ordered = is_order(sentence) or (ordered and bool(_FURTHER.search(sentence)))
        if ordered:
            text = text[:start] + " " * (end - start) + text[end:]
    return text
