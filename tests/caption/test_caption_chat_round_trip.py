"""Conversations led over HTTP and led again from the ledger: the same captions, and no question that was not asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from caption_records import make_airport, make_atlas, make_eurosat, make_naip, make_sentinel1
from chat_script import PROMPTS
from fakes.chat_server import CONTENT_FAULTS, Behaviour, serve_chat, spread_rates

from earthloom.caption.asking import Answer, Conversation, Request, Talk, follow
from earthloom.caption.chat import write_chat
from earthloom.caption.config import ChatSettings, Limits
from earthloom.caption.endpoint.remote import ask_remote
from earthloom.caption.facts import gather
from earthloom.caption.ledger import Ledger
from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.records import Reason, Scene, Text, Tile

ARTICLE = Text(text="A lake lies in the prairie, and ducks breed on it. " * 40, role="article")
KINDS = (make_airport(), make_atlas(0), make_eurosat(), make_naip(), make_sentinel1())
N = 60


def make_record(i: int) -> tuple[Scene, Tile]:
    scene, tile = KINDS[i % len(KINDS)]
    picture = b"picture %d" % i
    texts = (ARTICLE,) if i % 3 == 0 else ()
    return replace(scene, texts=texts), replace(tile, id=f"t{i}", image=picture, sha256=hash_bytes(picture))


def test_that_the_ledger_answers_what_the_server_was_asked(tmp_path: Path) -> None:
    records = [make_record(i) for i in range(N)]
    behaviour = Behaviour(rates=spread_rates(0.4, *CONTENT_FAULTS), seed=3)
    with serve_chat(behaviour) as server, Ledger(tmp_path / "ledger.sqlite") as ledger:
        settings = ChatSettings(
            model="gpt-4o", base_url=server.url, key_env=None, limits=Limits(in_flight=8, backoff_s=0)
        )

        def converse(scene: Scene, tile: Tile) -> Conversation:
            return write_chat(gather(scene, tile), scene, tile, settings, PROMPTS, 77)

        def make_talk(scene: Scene, tile: Tile) -> Talk:
            return Talk(
                id=tile.id,
                start=lambda: converse(scene, tile),
                read_picture=lambda: (tile.image, "jpg"),
            )

        def find(request: Request) -> Answer:
            answer = ledger.find(request)
            assert answer is not None, f"{request.purpose} for {request.tile_id} was never asked"
            return answer

        asked = ask_remote(
            [make_talk(*record) for record in records], ledger, settings, key=None, advance=lambda _: None
        )
        assert asked.n_failed == 0
        assert asked.n_answered == len(server.answered)
        n_before = sum(server.received.values())
        written, refused = [], []
        for record in records:
            try:
                written.append(follow(converse(*record), find))
            except RecordError as error:
                assert error.reason is Reason.BAD_ANSWER
                refused.append(error)
        assert sum(server.received.values()) == n_before
    assert len(written) + len(refused) == N
    assert len(written) > 0.8 * N
    assert any(entry.check == "answer" for talk in written for entry in talk.dropped)
    assert sum(len(talk.captions) == 5 for talk in written) > 0.7 * N
