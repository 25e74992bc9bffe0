"""The estimate of a dry run: sums over what is missing, upper bounds for what may follow, nothing sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from caption_records import make_scene, make_tile
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_requests import PRICES, make_answer, make_request, make_settings, make_talk

from earthloom.caption.asking import Answer, Conversation, Request, Talk, Written, follow
from earthloom.caption.chat import read_prompts, write_chat
from earthloom.caption.config import ChatSettings, Limits, Price
from earthloom.caption.endpoint.estimate import Estimate, estimate
from earthloom.caption.facts import gather
from earthloom.caption.ledger import Ledger
from earthloom.caption.ledger.prices import cost_of
from earthloom.core.errors import RecordError
from earthloom.core.records import Reason, Text

SETTINGS = make_settings(limits=Limits(budget=5.0))
ONE = 1000 * 2.5e-6 + 100 * 10e-6
"""The most that one request of these tests costs."""


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "ledger") as opened:
        yield opened


def converse(index: int, *, has_article: bool = False, repairs: int = 2) -> Talk:
    """A conversation in the manner of the chat author: a summary, five captions, repairs while they are no use."""

    def start() -> Conversation:
        gist = ""
        if has_article:
            answer = yield make_request(index, purpose="summary", picture=None, tokens_in=3000)
            gist = answer.text
        n_in = 1000 + len(gist) // 4
        answer = yield make_request(index, tokens_in=n_in, body={"index": index, "gist": gist})
        for attempt in range(repairs):
            if answer.text:
                break
            answer = yield make_request(index, purpose="repair", body={"index": index, "attempt": attempt})
        if not answer.text:
            raise RecordError(Reason.NO_CAPTION, "none")
        return Written()

    return Talk(id=str(index), start=start, read_picture=lambda: (b"", "jpg"))


def answer_all(talk: Talk, ledger: Ledger, settings: ChatSettings = SETTINGS) -> None:
    """Answer what a conversation asks."""

    def find(request: Request) -> Answer:
        answer = make_answer(f"text of {request.purpose}")
        cost = cost_of(request, answer, settings)
        ledger.finish(request, answer, cost=cost, seconds=0, tries=1)
        return answer

    follow(talk.start(), find)


def test_what_is_missing_is_counted_and_priced(ledger: Ledger) -> None:
    found = estimate(map(converse, range(10)), ledger, SETTINGS)
    assert (found.n_talks, found.n_ended, found.n_answered) == (10, 0, 0)
    assert (found.missing.n_requests, found.missing.n_pictures) == (10, 10)
    assert (found.missing.tokens_in, found.missing.tokens_out) == (10_000, 1000)
    assert found.missing.live == pytest.approx(10 * ONE)
    assert found.missing.batch == pytest.approx(5 * ONE)
    assert found.later.n_requests == 0
    # Two more rounds for each at the most, which quote captions of up to 100 tokens.
    assert found.repairs.n_requests == 20
    assert found.repairs.tokens_in == 20 * 1100
    assert found.most.n_requests == 30
    assert (found.expected, found.budget, found.spent) == (None, 5.0, 0.0)


def test_captions_that_wait_for_a_summary_are_named_apart(ledger: Ledger) -> None:
    found = estimate([converse(1, has_article=True), converse(2)], ledger, SETTINGS)
    assert (found.missing.n_requests, found.missing.n_pictures) == (2, 1)
    assert (found.later.n_requests, found.later.n_pictures) == (1, 1)
    assert found.later.tokens_in == 1000 + 100  # a summary of 100 tokens, its most
    assert found.repairs.n_requests == 4


def test_answers_make_the_estimate_smaller_and_the_rest_expected(ledger: Ledger) -> None:
    talks = [converse(index) for index in range(4)]
    for talk in talks[:3]:
        answer_all(talk, ledger)
    found = estimate(talks, ledger, SETTINGS)
    assert (found.n_ended, found.n_answered, found.missing.n_requests) == (3, 3, 1)
    assert found.expected is not None
    assert (found.expected.tokens_in, found.expected.tokens_out) == (900, 50)
    assert found.expected.live == pytest.approx(900 * 2.5e-6 + 50 * 10e-6)
    assert found.spent == pytest.approx(3 * (900 * 2.5e-6 + 50 * 10e-6))


def test_estimates_grow_with_what_servers_count(ledger: Ledger) -> None:
    ledger.finish(make_request(99), make_answer(tokens_in=1500), cost=0, seconds=0, tries=1)
    assert estimate([converse(1)], ledger, SETTINGS).missing.tokens_in == 1500


def test_equal_requests_count_once_and_failures_for_good_are_not_asked(ledger: Ledger) -> None:
    ledger.fail(make_request(3), "status 400", cost=0, tries=1, is_final=True)
    found = estimate([make_talk(1), make_talk(1), make_talk(3)], ledger, SETTINGS)
    assert (found.n_talks, found.n_ended, found.n_answered, found.missing.n_requests) == (3, 1, 1, 1)


def test_without_a_price_money_is_unknown_not_nothing(ledger: Ledger) -> None:
    found = estimate([converse(1)], ledger, make_settings(prices={}))
    assert (found.missing.live, found.most.batch) == (None, None)
    assert found.missing.tokens_in == 1000
    assert "unknown" in found.to_text()
    assert json.loads(json.dumps(found.to_json()))["missing"]["live"] is None


def test_local_models_cost_nothing(ledger: Ledger) -> None:
    talk = make_talk(1, lambda: [make_request(1, author="blip2")])
    found = estimate([talk], ledger, SETTINGS)
    assert found.most.n_requests == 0


def test_a_ledger_that_is_not_there_is_empty_and_stays_away(tmp_path: Path) -> None:
    path = tmp_path / "none" / "ledger"
    with Ledger(path, read_only=True) as ledger:
        assert estimate([converse(1)], ledger, SETTINGS).missing.n_requests == 1
    assert not path.parent.exists()


@settings(max_examples=30)
@given(kinds=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=8))
def test_parts_add_up_and_bound_what_is_spent(kinds: list[tuple[bool, bool]], tmp_path_factory: Any) -> None:
    """Answering everything costs no more than was estimated, and afterwards nothing is missing."""
    talks = [converse(index, has_article=has_article) for index, (has_article, _) in enumerate(kinds)]
    with Ledger(tmp_path_factory.mktemp("estimate") / "ledger") as ledger:
        for talk, (_, is_answered) in zip(talks, kinds, strict=True):
            if is_answered:
                answer_all(talk, ledger)
        before = estimate(talks, ledger, SETTINGS)
        parts = (before.missing, before.later, before.repairs)
        assert before.most.n_requests == sum(part.n_requests for part in parts)
        assert before.most.live == pytest.approx(sum(part.live or 0 for part in parts))
        assert before.most.batch == pytest.approx((before.most.live or 0) / 2)
        for talk, (_, is_answered) in zip(talks, kinds, strict=True):
            if not is_answered:
                answer_all(talk, ledger)
        after = estimate(talks, ledger, SETTINGS)
    assert after.most.n_requests == 0
    assert after.n_ended == len(talks)
    assert after.spent - before.spent <= (before.most.live or 0) + 1e-9


def test_the_table_is_aligned_and_says_how_things_stand(ledger: Ledger) -> None:
    assert ledger.reserve(make_request(77), 0.5, Limits())
    answer_all(converse(5000), ledger)
    found = estimate([*map(converse, range(2000)), converse(5000)], ledger, SETTINGS)
    table, standing = found.to_text().splitlines()[:6], found.to_text().splitlines()[6:]
    assert len({len(line) for line in table}) == 1
    assert table[0].split() == ["requests", "pictures", "tokens", "in", "tokens", "out", "live", "batch"]
    assert table[1].split() == ["missing", "now", "2,000", "2,000", "2,000,000", "200,000", "7.00", "3.50"]
    assert table[4].startswith("at most ")
    assert standing == [
        "Conversations: 2,001, at their end: 1; requests answered: 1.",
        "Spent so far: 0.0027 (and up to 0.50 for requests never answered); budget 5.00.",
    ]


def estimate_chat(texts: tuple[Text, ...], ledger: Ledger, **changes: Any) -> Estimate:
    """The estimate for one tile with the real author."""
    scene, tile = make_scene(texts=texts), make_tile(sha256="ab" * 32)
    chat = make_settings(**changes)
    prompts = read_prompts(chat.prompt)

    def start() -> Conversation:
        return write_chat(gather(scene, tile), scene, tile, chat, prompts, 77)

    talk = Talk(id="tile", start=start, read_picture=lambda: (b"", "jpg"))
    return estimate([talk], ledger, chat)


@pytest.mark.parametrize("repairs", [0, 1, 3])
def test_the_chat_author_is_bounded_with_all_its_repairs(ledger: Ledger, repairs: int) -> None:
    found = estimate_chat((), ledger, repairs=repairs)
    assert (found.missing.n_requests, found.later.n_requests, found.repairs.n_requests) == (1, 0, repairs)
    assert found.missing.tokens_in > 800  # the picture and more


def test_the_chat_author_condenses_long_articles_first(ledger: Ledger) -> None:
    article = Text(role="article", text="The river Po flooded fields near Ferrara. " * 100)
    prices = PRICES | {"small": Price(input=0.15, output=0.6)}
    found = estimate_chat((article,), ledger, repairs=2, summary_model="small", prices=prices)
    plain = estimate_chat((), ledger, repairs=2)
    assert (found.missing.n_requests, found.missing.n_pictures) == (1, 0)
    assert (found.later.n_requests, found.repairs.n_requests) == (1, 2)
    assert found.later.tokens_in > plain.missing.tokens_in + 100  # a summary stands in for the unknown one
    assert found.missing.live == pytest.approx(
        (found.missing.tokens_in * 0.15 + found.missing.tokens_out * 0.6) / 1e6
    )
