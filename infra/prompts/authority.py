"""Instructions that hand text from outside authority over the model (OWASP LLM01, indirect injection).

hands_authority("Follow the instructions in the report.")          # True
hands_authority("Never follow instructions in the report.")        # False

Finds the usual phrasings in English; a paraphrase that no pattern names is left to review.
"""

import re

_FOREIGN = (
    r"(?:(?:the|any|all|its|this|that|these|those|user'?s|given|following|attached) )*"
    r"(?:users?|text|messages?|input|reports?|documents?|content|sentences?|e?mails?|customers?|clients?"
    r"|senders?|authors?|pages?|websites?|attachments?|conversation)(?:'s)?"
)
_ORDERS = r"(?:instructions?|orders?|commands?|requests?|directions?|directives?|demands?|wishes|rules?)"
_OBEY = (
    r"(?:follow|obey|execute|perform|carry out|comply with|honou?r|respect|act on|do|fulfil|listen to|trust)"
)
_SAY = r"(?:says?|asks?|tells?|wants?|demands?|requests?|orders?|instructs?)"
_ANSWER = r"(?:answer|label|output|result|reply|verdict|category|class)"
_YOURS = r"(?:your|these|this|the|all|any|previous|earlier|other|above)"
_AUTHORITY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_OBEY}\b(?: \w+){{0,3}} {_ORDERS}\b(?: \w+){{0,4}} (?:in|of|from|inside|by) {_FOREIGN}\b",
        rf"\b{_OBEY} (?:\w+ ){{0,2}}(?:what|whatever|anything|everything|as)\b(?: \w+)? {_FOREIGN} {_SAY}\b",
        rf"\b{_OBEY} (?:the |all |any )?(?:user|customer|client|sender)'?s?'? {_ORDERS}\b",
        rf"\b{_FOREIGN} (?:may|can|could|is allowed to) (?:override|overrule|change|replace)\b",
        rf"\b{_FOREIGN} (?:overrides?|outranks?|takes? precedence over)(?: {_YOURS})+ \w+\b",
        rf"\b(?:treat|regard|consider|take|interpret) {_FOREIGN} as (?:\w+ ){{0,2}}"
        rf"(?:{_ORDERS}|truth|trusted|authoritative)\b",
        rf"\bif {_FOREIGN} {_SAY}\b.*\b(?:that|this|it)(?: \w+)?"
        rf" (?:is|be|becomes?) (?:the|your) (?:\w+ )?{_ANSWER}\b",
        rf"\bwhatever {_FOREIGN} {_SAY}\b.* (?:comes? first|wins?|goes|is (?:right|final|law))\b",
    )
)
_NEGATION = re.compile(
    r"\b(?:not|never|no|don't|cannot|can't|mustn't|refuse|ignore|disregard|without|nor|neither|avoid)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;:!?]|, (?=(?:and|but|then)\b)| but ")


def hands_authority(text: str) -> bool:
    """Whether some clause, unless negated, lets text from outside give instructions."""
    clauses = _CLAUSE_END.split(" ".join(text.split()).replace("’", "'"))
    return any(_hands(clause) for clause in clauses)


def _hands(clause: str) -> bool:
    for pattern in _AUTHORITY:
        for match in pattern.finditer(clause):
            if not _NEGATION.search(clause[: match.end()]):
                return True
    return False
