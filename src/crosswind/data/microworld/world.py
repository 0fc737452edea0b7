"""What there is in the microworld, what goes with what, and what causes what.

A concept is named by its English word. Nouns have uneven preferences for verbs, adjectives and
places (Zipf-like weights drawn once from the names), so that a concept is recognisable from its
company in any language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from crosswind.data.microworld.draws import Weighted, WorldDraw

CLASSES: Mapping[str, tuple[str, ...]] = {
    "animal": ("dog", "cat", "horse", "bird", "goat", "rabbit"),
    "food": ("bread", "apple", "cheese", "soup", "rice", "cake"),
    "tool": ("knife", "hammer", "rope", "lamp", "key", "bucket"),
    "garment": ("coat", "hat", "shirt", "scarf", "ring", "glove"),
    "paper": ("book", "letter", "map", "picture", "ticket", "poem"),
    "vehicle": ("boat", "cart", "bicycle", "wagon", "sled", "train"),
    "furniture": ("table", "chair", "box", "bed", "door", "clock"),
}
CLASS_OF: Mapping[str, str] = {noun: kind for kind, nouns in CLASSES.items() for noun in nouns}
NOUNS: tuple[str, ...] = tuple(CLASS_OF)

VERBS: Mapping[str, tuple[str, ...]] = {  # what they are done to
    "buy": tuple(CLASSES),
    "sell": tuple(CLASSES),
    "see": ("animal", "vehicle", "furniture"),
    "eat": ("food",),
    "cook": ("food",),
    "carry": ("furniture", "tool", "food"),
    "wash": ("garment", "vehicle", "animal"),
    "paint": ("furniture", "vehicle", "animal"),
    "repair": ("vehicle", "tool", "furniture"),
    "feed": ("animal",),
    "ride": ("animal", "vehicle"),
    "read": ("paper",),
    "write": ("paper",),
    "wear": ("garment",),
    "find": ("tool", "garment", "paper", "animal"),
    "lose": ("tool", "garment", "paper", "animal"),
    "hide": ("tool", "paper", "food"),
    "break": ("tool", "furniture", "vehicle"),
}
INTRANSITIVE = ("sleep", "run", "swim", "shout", "travel")

# Two ways to say one thing: the doer's and the other side's.
CONVERSES = (("sell", "to", "buy", "from"), ("give", "to", "receive", "from"), ("lend", "to", "borrow", "from"))
COMPARISONS = (("older", "younger"), ("taller", "shorter"), ("richer", "poorer"), ("faster", "slower"))

ADJECTIVES = (("old", "new"), ("big", "small"), ("clean", "dirty"), ("heavy", "light"), ("cheap", "dear"))
COLOUR_WORDS = ("red", "blue", "green", "white", "black")
OPPOSITES: Mapping[str, str] = {a: b for pair in ADJECTIVES for a, b in (pair, pair[::-1])}

PLACES = ("market", "kitchen", "garden", "forest", "river", "school", "station", "harbour", "street", "bridge")
PROFESSIONS = (
    "farmer", "teacher", "baker", "doctor", "sailor", "painter", "driver", "singer", "guard", "hunter",
)  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRMS = ("bank", "school", "company", "museum", "theatre", "hospital")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")

# A state makes people do something, that puts them into the opposite state, and so on round the circle.
CIRCLES: tuple[tuple[str, str, str, str], ...] = (
    ("poor", "sell", "rich", "buy"),
    ("hungry", "eat", "full", "carry"),
    ("dusty", "wash", "tidy", "paint"),
    ("cold", "wear", "warm", "swim"),
    ("tired", "sleep", "awake", "run"),
    ("sad", "find", "happy", "lose"),
    ("angry", "break", "calm", "shout"),
    ("bored", "read", "curious", "travel"),
)
STATES: tuple[str, ...] = tuple(circle[i] for circle in CIRCLES for i in (0, 2))
OPPOSITE_STATE: Mapping[str, str] = {c[i]: c[2 - i] for c in CIRCLES for i in (0, 2)}

SYNONYMS: Mapping[str, str] = {  # a second word for the same
    "big": "large", "small": "little", "buy": "purchase", "find": "discover", "repair": "mend", "see": "notice",
    "street": "road", "forest": "wood", "boat": "ship", "coat": "jacket", "doctor": "physician", "garden": "yard",
    "carry": "drag", "happy": "glad", "angry": "furious", "dog": "hound",
}  # fmt: skip

# Verbs whose past and third person English forms otherwise than by -ed and -s
IRREGULAR: Mapping[str, str] = {
    "buy": "bought", "sell": "sold", "see": "saw", "eat": "ate", "feed": "fed", "ride": "rode", "read": "read",
    "write": "wrote", "wear": "wore", "find": "found", "lose": "lost", "hide": "hid", "break": "broke",
    "sleep": "slept", "run": "ran", "swim": "swam", "give": "gave", "lend": "lent", "come": "came", "have": "had",
}  # fmt: skip


@cache
def objects(verb: str) -> Weighted[str]:
    """The nouns that a verb is said of, with its preferences."""
    return _preferring("object", verb, [n for kind in VERBS[verb] for n in CLASSES[kind]])


@cache
def doings() -> Weighted[str]:
    """What people do."""
    return _preferring("does", "anyone", tuple(VERBS))


@cache
def qualities(noun: str) -> Weighted[str]:
    """The adjectives of a noun; opposites weigh the same, so that neither is the safer guess."""
    pairs = list(ADJECTIVES)
    weights = _weights("quality", noun, len(pairs) + len(COLOUR_WORDS))
    items = [*(a for p in pairs for a in p), *COLOUR_WORDS]
    return Weighted(items, [*(w for w in weights[: len(pairs)] for _ in (0, 1)), *weights[len(pairs) :]])


@cache
def places(verb: str) -> Weighted[str]:
    """Where something is done."""
    return _preferring("place", verb, PLACES)


def _preferring(relation: str, of: str, items: Sequence[str]) -> Weighted[str]:
    return Weighted(items, _weights(relation, of, len(items)))


def _weights(relation: str, of: str, n: int) -> list[float]:
    """Zipf's law in an order of its own: the first weighs ten times the tenth."""
    ranks = WorldDraw("world", relation, of).shuffled(range(n))
    return [1.0 / (1 + rank) for rank in ranks]
