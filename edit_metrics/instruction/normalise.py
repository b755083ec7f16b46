"""From raw text to clauses: quotation marks, politeness, negations, and where one edit ends and the next begins."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edit_metrics.instruction import words

_QUOTE_MARKS = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "`": "'", "′": "'"})
_QUOTED = re.compile(r"\"([^\"]+)\"|(?<![\w])'([^']+(?:'(?=\w)[^']*)*)'(?!\w)")
_PLACEHOLDER = re.compile(r"qzq(\d+)qzq")
_VERB = (
    rf"(?:{words.ADD}|{words.REMOVE}|{words.REPLACE}|{words.CHANGE}|{words.MAKE}|{words.RECOLOUR}|{words.MOVE}|{words.RESIZE}"
    r"|give|write|rotate|flip|mirror|crop|zoom|blur|sharpen|brighten|darken|lighten|increase|decrease|reduce|"
    r"boost|enhance|"
    r"lower|raise|desaturate|saturate|apply|cover|fill|surround|decorate|blend|dim)"
)
_CLAUSE_BREAK = re.compile(
    rf"(?:[.;!?]+\s+|[.;!?]+$|,?\s+(?:and|then|and then|but|also|and also|while|as well "
    rf"as)\s+(?=(?:please )?{_VERB}\b)|,\s+(?=(?:please )?{_VERB}\b))"
)
_NEGATION = re.compile(
    r"(?:[,;(]?\s*\b(?:and |but |while |by )?(?:"
    r"(?:do not|don't|dont|never|please don't|must not|should not|shouldn't) [^.;]*"
    r"|(?:without|not|rather than|instead of) (?:chang|alter|modify|touch|affect|remov|los|distort|edit|add|mov|"
    r"mess|damag|ruin|cropp)\w*[^.;]*"
    r"|(?:keep(?:ing)?|leav(?:e|ing)|preserv(?:e|ing)|maintain(?:ing)?|retain(?:ing)?) (?!it (?:on|in|at)\b)[^.;]*"
    r"|(?:everything|all|the rest)[^.;]* (?:unchanged|untouched|the same|intact|as (?:it )?is)[^.;]*"
    r")\)?)"
)
_MODAL = r"(?:should|could|would|can|must|might|may|needs? to|ought to|has to|have to)"
_SOMETHING = (
    r"(?P<who>(?:a|an|another|some|two|three|the|his|her|their|its|this|that|he|she|it|they|we|[\w']+)(?: "
    r"[\w'-]+){0,6}?)"
)
_WISHES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), order)
    for pattern, order in (
        (rf"^(?:{_MODAL} )?there (?:{_MODAL} )?(?:be|to be|is|are|was|were)\b (?P<what>.+)$", r"there be \g<what>"),
        (r"^(?:what if|imagine if|imagine|suppose)(?: that)? there (?:was|were|is|are|be)\b (?P<what>.+)$",
            r"there be \g<what>"),
        (rf"^(?:what if|imagine if|imagine|suppose)(?: that)? {_SOMETHING} (?:was|were|is|are)\b (?P<what>.+)$",
            r"make \g<who> be \g<what>"),
        (rf"^(?:what if|imagine if|imagine|suppose)(?: that)? {_SOMETHING} (?:had|has)\b (?P<what>.+)$",
            r"make \g<who> have \g<what>"),
        (rf"^{_MODAL} {_SOMETHING} (?P<verb>be|have|hold|wear|carry|look)\b (?P<what>.+)$", r"make \g<who> "
            r"\g<verb> \g<what>"),
        (rf"^{_SOMETHING} {_MODAL} (?P<verb>be|have|hold|wear|look|become)\b (?P<what>.+)$", r"make \g<who> "
            r"\g<verb> \g<what>"),
        (rf"^(?=(?:a|an|the|all|his|her|their|its|this|that|it)\b){_SOMETHING} (?:{_MODAL} (?:all |both )?|"
         rf"to )be\b (?P<what>.+)$", r"make \g<who> be \g<what>"),
        (rf"^{_SOMETHING} needs? (?P<what>(?:an?|some|more|another|two)\b.+)$", r"add \g<what>"),
        (r"^(?:edit|photoshop) (?:in )?(?P<what>(?:a|an|some|another|more) .+)$", r"add \g<what>"),
    )
)  # fmt: skip
_UNWANTED = re.compile(
    r"\b(?:i|we) (?:do not|don't|dont) (?:want|like|need)(?: to see)? (?P<what>[^.,;]+?)(?: in (?:the|this|my) "
    r"\w+)?(?=[.,;]|$)"
)
"""``i don't want the cables in the picture`` is an edit, not a negation beside one."""
_WANTED = re.compile(
    r"^(?:(?:i|we)(?:'d| would)? (?:really )?(?:want|like|love|need)|it would be (?:nice|great|good|cool))(?: "
    r"to (?:see|have|add))? "
    r"(?=(?:an?|some|more|another|two|three|several)\b)"
)
_MISSPELT = (
    (re.compile(r"\b(?:insted|intead|insetad)\b"), "instead"),
    (re.compile(r"\b(?:back ?rounds?|backgroud|backgound|back ground)\b"), "background"),
    (re.compile(r"\b(?:colur|clour|coulor|coler)\b"), "colour"),
    (re.compile(r"\b(?:repalce|relpace|replce)\b"), "replace"),
    (re.compile(r"\b(?:chnage|cahnge|chage)\b"), "change"),
    (re.compile(r"\b(?:remvoe|reomve|romove)\b"), "remove"),
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """An instruction taken apart.

    Attributes:
        clauses: lower case, without politeness and final punctuation; at least one unless there are no words.
        quotes: the quoted strings in their own case; ``qzq<n>qzq`` stands for the n-th in the clauses.
        negations: what must stay or must not happen.
    """

    clauses: tuple[str, ...]
    quotes: tuple[str, ...]
    negations: tuple[str, ...]


def normalise(text: str) -> Normalised:
    """Take quotations out, lower the case, cut negations off, and split the rest into clauses."""
    quotes: list[str] = []

    def keep_quote(match: re.Match[str]) -> str:
        quotes.append((match[1] or match[2]).strip())
        return f" qzq{len(quotes) - 1}qzq "

    body = _QUOTED.sub(keep_quote, text.translate(_QUOTE_MARKS))
    body = re.sub(r"\s+", " ", body).strip().lower()
    for pattern, word in _MISSPELT:
        body = pattern.sub(word, body)
    body, negations = _cut_negations(_UNWANTED.sub(r"remove \g<what>", body))
    clauses = [_strip_clause(part) for part in _CLAUSE_BREAK.split(body)]
    return Normalised(tuple(clause for clause in clauses if re.search(r"\w", clause)), tuple(quotes), negations)


def quote_numbers(clause: str) -> list[int]:
    """Numbers of the quotations that stand in a clause, in order."""
    return [int(number) for number in _PLACEHOLDER.findall(clause)]


def _cut_negations(body: str) -> tuple[str, tuple[str, ...]]:
    """Negations that stand beside an edit; a text that is nothing but one stays as it is."""
    found = tuple(match[0].strip(" ,;()") for match in _NEGATION.finditer(body))
    rest = _NEGATION.sub(" ", body)
    if not re.search(r"\w", rest):
        return body, ()
    return re.sub(r"\s+", " ", rest).strip(), found


def _strip_clause(clause: str) -> str:
    clause = clause.strip(" .,;:!?")
    clause = _WANTED.sub("add ", clause)
    previous = None
    while previous != clause:
        previous = clause
        clause = words.TRAILING_POLITE.sub("", words.POLITE.sub("", clause)).strip(" .,;:!?")
    return _to_imperative(clause)


def _to_imperative(clause: str) -> str:
    """Wishes and questions as orders: ``what if the man had a hat`` → ``make the man have a hat``."""
    for pattern, order in _WISHES:
        if match := pattern.match(clause):
            return re.sub(r"\s+", " ", match.expand(order)).strip()
    return clause
