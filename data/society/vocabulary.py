"""The words of a simulated society, and what each truly does to the response."""

from __future__ import annotations

from typing import Final

import numpy as np

from clout.data.society.people import Floats


def words(text: str) -> tuple[str, ...]:
    """The words of `text`.

    >>> words("owl heron")
    ('owl', 'heron')
    """
    return tuple(text.split())


TOPIC_WORDS: Final = {
    "chess": words(
        "sacrifice checkmate gambit knight opening endgame rook bishop pawn castling board tempo rating "
        "draw pairing clock"
    ),
    "gardening": words(
        "harvest seedlings compost tomato roses pruning orchard soil bulbs tulip shed mulch spade frost weeds fence"
    ),
    "cycling": words(
        "summit tailwind gravel saddle peloton sprint pedal helmet climb descent wheel chain route tyre "
        "puncture invoice"
    ),
    "baking": words(
        "sourdough cinnamon crust butter oven dough flour yeast pastry muffin vanilla loaf icing scale timer margarine"
    ),
    "astronomy": words(
        "eclipse comet nebula telescope orbit galaxy crater meteor lens aurora planet moon dome filter cloud glare"
    ),
    "sailing": words(
        "regatta dolphin harbour keel spinnaker mast anchor tide rudder hull knot buoy deck rope mooring bilge"
    ),
    "jazz": words(
        "solo trumpet swing bebop saxophone quartet ballad chorus rhythm piano drummer encore chart venue "
        "microphone levy"
    ),
    "pottery": words(
        "glaze kiln porcelain wheelhead vase bowl clay slip handle teapot stoneware sketch shelf bucket dust crack"
    ),
    "birding": words(
        "owl migration heron falcon nest feather binoculars marsh warbler kestrel swift robin hide ledger "
        "checklist drizzle"
    ),
    "hiking": words(
        "ridge waterfall trail valley summiting cairn meadow boots campfire glacier map forest backpack "
        "tent blister detour"
    ),
    "film": words(
        "premiere director scene trailer camera script actor montage comedy thriller soundtrack matinee "
        "ticket credits queue advert"
    ),
    "robotics": words(
        "prototype gripper sensor actuator circuit firmware motor servo battery drone lidar gear wiring "
        "solder latency recall"
    ),
}
LINKING: Final = words(
    "the a my this our that with and for from after before into about every another your some under over"
)
PLAIN: Final = words(
    "morning evening week group friend weekend idea plan work place year people table window street season "
    "visit talk practice question problem minute corner garage notes line size colour sound water light "
    "price house road hand face part word number day night side room book voice shape track team city "
    "country kitchen bottle basket letter circle market station bridge"
)
HELPING: Final = words(
    "finally surprising behind mistake learned photo proof story beautiful secret first proud together wonderful"
)
HURTING: Final = words(
    "webinar reminder sponsored agenda register newsletter synergy update stakeholder promotion discount "
    "survey leverage quarterly"
)
VOCABULARY: Final = (*LINKING, *PLAIN, *HELPING, *HURTING, *(word for topic in TOPIC_WORDS.values() for word in topic))
FIRST_PLAIN: Final = len(LINKING)
FIRST_HELPING: Final = FIRST_PLAIN + len(PLAIN)
FIRST_HURTING: Final = FIRST_HELPING + len(HELPING)
FIRST_TOPIC: Final = FIRST_HURTING + len(HURTING)
WORDS_A_TOPIC: Final = 16


def word_effects() -> Floats:
    """The log factor of one use of each word of `VOCABULARY`."""
    effects = np.zeros(len(VOCABULARY))
    effects[FIRST_HELPING:FIRST_HURTING] = np.linspace(0.5, 0.2, len(HELPING))
    effects[FIRST_HURTING:FIRST_TOPIC] = np.linspace(-0.5, -0.2, len(HURTING))
    topics = effects[FIRST_TOPIC:].reshape(len(TOPIC_WORDS), WORDS_A_TOPIC)
    topics[:, :2], topics[:, -2:] = 0.3, -0.3
    return effects
