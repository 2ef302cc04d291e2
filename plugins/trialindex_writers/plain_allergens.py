"""What people are allergic to, where a title says it more exactly than the registered illness does."""

from __future__ import annotations

import re
from functools import lru_cache

_ALLERGENS: tuple[tuple[str, str, str], ...] = (
    ("grass pollen allergy", "pollen", r"\bgrass(?:es)?\b|timothy|phleum|\bphl p\b"),
    ("birch pollen allergy", "pollen", r"\bbirch\b(?! rust)|\bbet v ?1|\brbet"),
    ("ragweed pollen allergy", "pollen", r"ragweed|\bamb a ?1"),
    ("mugwort pollen allergy", "pollen", r"mugwort|artemisia"),
    ("cedar pollen allergy", "pollen", r"\bcedar\b|cryptomeria"),
    ("olive pollen allergy", "pollen", r"\bolive pollen|olea europaea"),
    ("pellitory pollen allergy", "pollen", r"parietaria"),
    ("tree pollen allergy", "pollen", r"\btree pollen"),
    ("dust mite allergy", "home", r"dust[- ]?mites?|\bHDM\b|\bmites?\b|dermatophagoides|\bder p\b"),
    ("cat allergy", "home", r"\bcats?\b|\bfel d ?1"),
    ("dog allergy", "home", r"\bdogs?\b|\bcan f ?1"),
    ("cockroach allergy", "home", r"cockroach"),
    ("mould allergy", "home", r"alternaria|\bmou?lds?\b"),
    ("allergy to birch rust (a fungus)", "home", r"birch rust"),
    (
        "allergy to insect stings",
        "sting",
        r"\b(?:wasp|bee|insect|hymenoptera|vespula) (?:venom|sting)|venom immunotherapy",
    ),
    ("latex allergy", "touch", r"\blatex\b"),
    ("penicillin allergy", "drug", r"penicillin|beta-?lactam|amoxicillin"),
    ("peanut allergy", "food", r"\bpeanuts?\b"),
    ("hazelnut allergy", "food", r"\bhazelnuts?\b"),
    ("walnut allergy", "food", r"\bwalnuts?\b"),
    ("cashew allergy", "food", r"\bcashews?\b"),
    ("almond allergy", "food", r"\balmonds?\b"),
    ("pistachio allergy", "food", r"\bpistachios?\b"),
    ("nut allergy", "food", r"\b(?:tree )?nuts?\b(?! ?free)"),
    ("egg allergy", "food", r"\beggs?\b"),
    ("cow's milk allergy", "food", r"(?<!breast )(?<!human )(?<!mother's )\bmilk\b|\bCMP?A\b"),
    ("wheat allergy", "food", r"\bwheat\b"),
    ("sesame allergy", "food", r"\bsesame\b"),
    ("soy allergy", "food", r"\bsoy(?:a|bean)?\b"),
    ("fish allergy", "food", r"\bfish\b(?! oil)"),
    ("shrimp allergy", "food", r"\bshrimps?\b|\bprawns?\b"),
    ("shellfish allergy", "food", r"\bshellfish\b|crustacea\w*|\bcrab\b"),
    ("peach allergy", "food", r"\bpeach(?:es)?\b"),
    ("apple allergy", "food", r"\bapples?\b(?! pectin)"),
    ("kiwi allergy", "food", r"\bkiwi"),
    ("lupin allergy", "food", r"\blupine?\b"),
    ("buckwheat allergy", "food", r"\bbuckwheat\b"),
    ("fenugreek allergy", "food", r"\bfenugreek\b"),
    ("allergy to plant foods", "food", r"lipid transfer protein|\bLTP\b"),
)
_RULES = tuple((name, sort, re.compile(pattern, re.IGNORECASE)) for name, sort, pattern in _ALLERGENS)
_SORTS = {
    "food allergy": {"food"},
    "allergy": {"food", "pollen", "home", "sting", "touch", "drug"},
    "allergy to a medicine": {"drug"},
    "a nose allergy": {"pollen", "home"},
    "hay fever": {"pollen"},
    "allergy of nose and eyes": {"pollen", "home"},
    "a year-round nose allergy": {"home"},
    "allergy of the eyes": {"pollen", "home"},
    "allergy of the airways": {"pollen", "home"},
    "an allergy of the nose only": {"pollen", "home"},
}
"""Illnesses that an allergen makes exact, and by which sorts of it."""


@lru_cache(maxsize=2048)
def exact_allergy(broad: str, text: str) -> tuple[str, int] | None:
    """``("peanut allergy", 24)`` for food allergy and a title with peanut at 24; ``None`` unless it names one or two.

    :param broad: the everyday name of the registered illness.
    """
    sorts = _SORTS.get(broad)
    if not sorts:
        return None
    found = [
        (match.start(), name)
        for name, sort, rule in _RULES
        if sort in sorts and (match := rule.search(text)) is not None
    ]
    if len(found) > 1:  # a nut is named by its own name, too
        found = [(at, name) for at, name in found if name != "nut allergy"]
    if len(found) == 1:
        return found[0][1], found[0][0]
    if len(found) == 2 and all(name.endswith(" allergy") for _, name in found):
        (at, first), (_, second) = sorted(found)
        return f"{first.removesuffix(' allergy')} or {second}", at
    return None


def allergen(name: str) -> str:
    """The food of a food allergy, as something to eat: ``peanut``, ``cow's milk``; empty if the name tells none."""
    food = re.fullmatch(r"([a-z' ]+) allergy", name)
    known = food and any(name == one and sort == "food" for one, sort, _ in _RULES)
    return food[1] if food and known else ""
