"""The mistakes planted in the notification service: what each is called, its scene, and the wrong messenger."""

from dataclasses import dataclass

from tests.chaos.judgement import Judgement
from tests.planted import town_mistakes, town_scenes
from tests.planted.town_stand import PlantedInTown, TownScene, town_stand


@dataclass(frozen=True, slots=True)
class TownMistake:
    """One planted bug, and the invariant it breaks where it is found."""

    name: str
    what: str
    breaks: str
    scene: TownScene
    parts: PlantedInTown


ANSWER_LOST = TownScene(town_scenes.an_answer_that_is_lost)
PAUSE_ASKED_FOR = TownScene(town_scenes.a_pause_that_is_asked_for)
MOVES = TownScene(town_scenes.an_account_that_moves_to_another_chat)

SCENES = (ANSWER_LOST, PAUSE_ASKED_FOR, MOVES)

MISTAKES = (
    TownMistake("PB-20", "Telegram timeout treated as not sent", "I-18", ANSWER_LOST, town_mistakes.TakesDoubtForNo),
    TownMistake("PB-21", "429 ignored", "I-24", PAUSE_ASKED_FOR, town_mistakes.NeverWaits),
    TownMistake("PB-22", "chat id cached across a re-link", "I-20", MOVES, town_mistakes.RemembersChats),
)


async def play(admin_dsn: str, scene: TownScene, parts: PlantedInTown = lambda real: real) -> Judgement:
    """Play a scene in a fresh town, with the right messenger unless another is given."""
    async with town_stand(admin_dsn, parts) as at:
        return await scene.play(at)
