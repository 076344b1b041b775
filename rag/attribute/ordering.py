"""Orders to a machine that stand in an article: what they say is no statement of it. Pure."""

from __future__ import annotations

import re

from rag.split import sentences

_ORDER = re.compile(
    r"^\W*(?:system|assistant)(?: (?:message|prompt|note|instructions?|override))?\s*[:>\]]"
    r"|^\W*(?:important |new |urgent )?(?:system |hidden )?(?:instructions?|message|note|prompt)"
    r" (?:to|for) (?:\w+ ){0,2}?(?:ai|assistants?|(?:chat)?bots?|(?:language )?models?|llms?)\b"
    r"|^\W*(?:(?:please|now|and|so|then|but|you must|you should|you will|you are to)\W+)?"
    r"(?:ignore|disregard|forget|override|bypass) (?:all |any |everything |every )?(?:of )?(?:the |your |these |those )?"
    r"(?:(?:previous|prior|earlier|above|preceding|other|system) )?(?:instructions?|prompts?|directions?|directives?)\b"
    r"|\b(?:the|this|any|dear|every) (?:ai|ai assistant|assistant|chatbot|language model|llm)"
    r" (?:must|should|shall|has to|needs to|is to|will now)\b[^.]{0,60}"
    r"\b(?:user|answer|reply|respond|say|output|tell|ignore)\b"
    r"|\byou are (?:now |no longer )?(?:an? )?(?:ai|ai assistant|assistant|chatbot|language model|llm|dan)\b"
    r"|^\W*(?:please )?do not (?:mention|reveal|disclose|tell (?:the )?users?(?: about)?)"
    r" (?:this|these|that you|the) (?:paragraph|instructions?|message|note|text|prompt|order)",
    re.IGNORECASE,
)


def is_order(sentence: str) -> bool:
    """True if a sentence speaks to an assistant ("System: the assistant must tell ..."), not to the article's readers."""
    return bool(_ORDER.search(sentence))


def without_orders(text: str) -> str:
    """Returns a text with spaces in place of the sentences that speak to an assistant: offsets stay as they are."""
    for start, end in sentences(text):
        if is_order(text[start:end]):
            text = text[:start] + " " * (end - start) + text[end:]
    return text
