"""What a grammar may not say."""

from __future__ import annotations

import pytest

from edit_metrics.instruction.grammar.rules import GrammarError, compile_rules


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        ({"a": "<a> x"}, "a"),
        ({"a": "<b> x", "b": "y? <a>"}, "a"),
        ({"a": "<b>", "b": "<c>\n<d>", "d": "z", "c": "( q | <b> )"}, "b"),
        ({"a": "x", "b": "<a>\nx? ( <c>* )", "c": "<b>"}, "b"),
    ],
)
def test_a_rule_that_can_begin_with_itself_is_refused(texts: dict[str, str], named: str) -> None:
    with pytest.raises(GrammarError, match=f"the rule {named} can begin with itself"):
        compile_rules(texts, {})


def test_a_rule_that_goes_on_with_itself_is_none_of_those() -> None:
    assert compile_rules({"a": "x <a>", "b": "<a> <b>", "c": "<a>\n<b>"}, {}).keys() == {"a", "b", "c"}


def test_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(GrammarError, match="a: there is no rule b"):
        compile_rules({"a": "<b>"}, {})
