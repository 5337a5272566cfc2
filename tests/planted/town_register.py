"""The mistakes planted in the notification service: what each is called, its scene, and the wrong part."""

from dataclasses import dataclass

from tests.chaos.judgement import Judgement
from tests.planted import town_mistakes, town_scenes
from tests.planted.town_stand import TownParts, TownScene, town_stand


@dataclass(frozen=True, slots=True)
class TownMistake:
    """One planted bug, and the invariant it breaks where it is found."""

    name: str
    what: str
    breaks: str
    scene: TownScene
    parts: TownParts


ANSWER_LOST = TownScene(town_scenes.an_answer_that_is_lost)
PAUSE_ASKED_FOR = TownScene(town_scenes.a_pause_that_is_asked_for)
MOVES = TownScene(town_scenes.an_account_that_moves_to_another_chat)
TOKEN_USED = TownScene(town_scenes.a_token_that_was_used)

SCENES = (ANSWER_LOST, PAUSE_ASKED_FOR, MOVES, TOKEN_USED)

MISTAKES = (
    TownMistake(
        "PB-20",
        "Telegram timeout treated as not sent",
        "I-18",
        ANSWER_LOST,
        TownParts(messenger=town_mistakes.TakesDoubtForNo),
    ),
    TownMistake("PB-21", "429 ignored", "I-24", PAUSE_ASKED_FOR, TownParts(messenger=town_mistakes.NeverWaits)),
    TownMistake(
        "PB-22", "chat id cached across a re-link", "I-20", MOVES, TownParts(messenger=town_mistakes.RemembersChats)
    ),
    TownMistake("PB-23", "link token reusable", "I-20", TOKEN_USED, TownParts(desk=town_mistakes.never_used_up)),
)


async def play(admin_dsn: str, scene: TownScene, parts: TownParts | None = None) -> Judgement:
    """Play a scene in a fresh town, with the right parts unless others are given."""
    async with town_stand(admin_dsn, parts or TownParts()) as at:
        return await scene.play(at)
