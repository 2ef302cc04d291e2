"""Reads headline and summary of a trial back, and compares every fact in them with the record.

It knows the sentences only from outside, as docs/plain-language.md describes them, and uses none of the writer's code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from support.plain_cases import without_names
from trialindex.plugin.trial_page import Plain
from trialindex.trial import Site, Trial

_PEOPLE = (
    r"(?:healthy )?(?:adults?|children|child|people|person|women and girls|woman or girl|women|woman|men and boys"
    r"|man or boy|men|man|girls?|boys?)"
)
_UNITS = {"year": 1.0, "month": 12.0, "week": 365.25 / 7, "day": 365.25, "hour": 365.25 * 24, "minute": 365.25 * 1440}
_STAGES = {
    "very early": {"EARLY_PHASE1"},
    "early-stage": {"PHASE1"},
    "early to mid-stage": {"PHASE1", "PHASE2"},
    "mid-stage": {"PHASE2"},
    "mid- to late-stage": {"PHASE2", "PHASE3"},
    "late-stage": {"PHASE3"},
    "after-approval": {"PHASE4"},
}
_AIMS = {
    "treatment": "TREATMENT",
    "prevention": "PREVENTION",
    "diagnosis": "DIAGNOSTIC",
    "supportive care": "SUPPORTIVE_CARE",
    "screening": "SCREENING",
    "basic science": "BASIC_SCIENCE",
    "to study how care is organised": "HEALTH_SERVICES_RESEARCH",
    "to see whether a device works as designed": "DEVICE_FEASIBILITY",
    "education, counselling or training": "ECT",
    "of another kind": "OTHER",
}
_HEADLINE_AIMS = {
    "treatment study": "TREATMENT",
    "prevention study": "PREVENTION",
    "study of diagnosis": "DIAGNOSTIC",
    "study of supportive care": "SUPPORTIVE_CARE",
    "screening study": "SCREENING",
    "basic science study": "BASIC_SCIENCE",
    "study of how care is organised": "HEALTH_SERVICES_RESEARCH",
    "study of how a device works": "DEVICE_FEASIBILITY",
    "study of education and advice": "ECT",
}
_KINDS = {
    "a drug": "DRUG",
    "a biological product": "BIOLOGICAL",
    "a device": "DEVICE",
    "a behavioural method": "BEHAVIORAL",
    "a procedure": "PROCEDURE",
    "radiation": "RADIATION",
    "a genetic treatment": "GENETIC",
    "a food supplement": "DIETARY_SUPPLEMENT",
    "a test": "DIAGNOSTIC_TEST",
    "a product of several parts": "COMBINATION_PRODUCT",
    "an intervention": "",
}
_EVIDENCE = {
    "which dose people can take": "tolerated dose|mtd|recommended phase|rp2d",
    "side effects": "safe|tolerab|tolerance|toxic|adverse|side.effect|dlt|ae|complication",
    "how long people live without their illness getting worse": "free|pfs|dfs|rfs|efs|progression",
    "how long people live": r"survival|\bos\b",
    "how many people die": "mortal|death",
    "how many people respond to treatment": r"respon|remission|orr|\bm?p?cr\b|recist",
    "whether the illness is held in check": "control rate|dcr",
    "how the drug moves through the body": r"kinetic|max|auc|\bpk\b|concentration",
    "quality of life": "quality.of.life|qol|dlqi",
    "sleep": "sleep",
    "headache attacks": "attack|headache|migraine",
    "pain": "pain|analges|headache",
    "how people manage everyday tasks": "disabilit|odi|oswestry",
    "flare-ups of the illness": "exacerb|flare",
    "how well the illness is kept in check": "control|acq|act|uct",
    "how well the lungs work": "fev|expirat|lung|flow|spiro|hyper|pc20|pef",
    "skin signs of the illness": "scorad|easi|eczema|iga|global|lesion",
    "skin tests": "skin|spt|wheal|prick",
    "symptoms": "symptom|tnss|tnnss|snot|itch|prurit|nasal|uas",
    "nasal polyps": "polyp",
    "how much of a food people can eat without a reaction": "challenge|ofc|dose|threshold|unrespons|consume",
    "allergic reactions": "reaction|event|anaphyla",
    "antibodies": r"\bs?ig|immunoglob|antibod|titer|titre|immunogen|serocon",
    "cells of the immune system": "phil|lymph|cell|dendrit|monocyt",
    "signs in the blood or tissue": "marker|cytokine|serum|plasma|sputum|gene|feno",
    "bacteria in or on the body": "microbio",
    "blood sugar": "hba1c|gluc|glyc",
    "blood pressure": "blood pressure",
    "body weight": "weight|bmi|mass",
    "low mood": "depress|phq|ham|madrs",
    "worry and stress": "anxi|stress|ptsd|gad",
    "drug, drink or tobacco use": "abstin|smok|use|drink",
    "how well people think and remember": "cogn|memory",
    "how well a test works": "sensitiv|specific|diagnos|predictive",
    "whether people use it as planned": "adher|complian|retention|engage",
    "what people think of it": "usab|accept|satisf",
    "whether it can be done": "feasib",
    "how common it is": "prevalence",
    "use of medicines": "medic|cortico",
    "infections": "infection",
    "whether the illness comes back": "recur|relapse|hernia",
}
"""What must stand in a main measure for a plain phrase to be said of it."""


def fold(text: str) -> str:
    """The letters and digits alone, small."""
    return "".join(char for char in text.casefold() if char.isalnum())


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


class Facts:
    """Counts what is compared, and remembers what differs."""

    def __init__(self, trial: Trial, plain: Plain) -> None:
        self.trial = trial
        self.checked = 0
        self.wrong: list[str] = []
        self.measures = [outcome.measure for outcome in trial.outcomes if outcome.kind == "primary"]
        self._headline(plain.headline.text)
        for sentence in plain.summary:
            self._sentence(sentence.text)
        self._numbers(" ".join([plain.headline.text, *(sentence.text for sentence in plain.summary)]))

    def fact(self, what: str, true: object) -> None:
        self.checked += 1
        if not true:
            self.wrong.append(what)

    def _numbers(self, text: str) -> None:
        """No number stands where none of the rules below has read it."""
        left = re.sub(r"“[^“”]*”", "", text)
        left = re.sub(rf"[\d,]+ {_PEOPLE}\b|\(?(?:early )?phase [\d and]+|aged (?:from |up to )?\d[\w. ]*", "", left)
        left = re.sub(r"[\d,]+ (?:sites?|more|was|were)\b|(?:plan is for|number given is) [\d,]+", "", left)
        left = without_names(left, self.trial)
        numbers = re.findall(r"\d+", left)
        self.fact(f"a number from nowhere: {numbers} in {text}", not numbers)

    # --- sentences ---

    def _headline(self, text: str) -> None:
        trial = self.trial
        if text.endswith("; topic not stated"):
            text = text.removesuffix("; topic not stated")
            self.fact("no topic", not any(map(fold, (*trial.conditions, *(i.name for i in trial.interventions)))))
        ending = re.search(r"^(.*): ((?:an? [a-z -]*study|access outside a trial)\b.*)$", text)
        body, kind = (ending[1], ending[2]) if ending else (text, "")
        if text.startswith("Observational study"):
            self.fact(text, trial.study_type == "OBSERVATIONAL")
        for part in (kind.partition(" on ")[0], text if not kind else ""):
            self._kind(part)
        if " on " in kind:
            self.fact(kind, self._is_condition(kind.split(" on ", 1)[1]))
        match = self._people(body, "headline")
        bare = r"(?:.* )?study(?: on .*)? in $|access outside a trial(?: on .*)? for $"
        if match and not re.match(bare, body[: match.start()], re.IGNORECASE):
            self._tested(body[: match.start()])

    def _kind(self, text: str) -> None:
        for stage, phases in _STAGES.items():
            if re.match(rf"(?:an? )?{stage}\b", text, re.IGNORECASE):
                self.fact(text, set(self.trial.phases) == phases)
                break
        for words_, code in _HEADLINE_AIMS.items():
            if text.lower().endswith(words_):
                self.fact(text, self.trial.primary_purpose == code)
                break
        if "observational" in text:
            self.fact(text, self.trial.study_type == "OBSERVATIONAL")
        if "outside a trial" in text:
            self.fact(text, self.trial.study_type == "EXPANDED_ACCESS")

    def _sentence(self, text: str) -> None:
        text = text.removesuffix(".")
        if text.startswith("It is for "):
            self._who(text)
        elif text.startswith("This "):
            self._what(text)
        else:
            self._why(text)

    def _what(self, text: str) -> None:
        trial = self.trial
        opening = re.match(
            r"This (?P<stage>[a-z -]*?) ?(?:study|programme)(?: \((?P<phase>[^)]*)\))? "
            r"(?P<verb>tests|looks at|gives access, outside a trial, to) ",
            text,
        )
        self.fact(f"no such opening: {text}", opening)
        if not opening:
            return
        types = {"tests": "INTERVENTIONAL", "looks at": "OBSERVATIONAL"}
        kind = types.get(opening["verb"], "EXPANDED_ACCESS")
        phase = opening["phase"] or ""
        if re.search(r"type not stated", phase):
            kind = ""
        self.fact(opening[0], (trial.study_type or "") == kind)
        if opening["stage"] == "observational":
            self.fact(opening[0], kind == "OBSERVATIONAL")
        else:
            if opening["stage"]:
                self.fact(opening[0], set(trial.phases) == _STAGES[opening["stage"]])
            self._phase(phase)
        rest = text[opening.end() :]
        rest, _, topic = rest.partition("; its topic is ")
        if "; the condition is not stated" in rest:
            rest = rest.replace("; the condition is not stated", "")
            self.fact("condition not stated", not any(map(fold, trial.conditions)))
        more = re.search(r" \((\d+) more conditions? (?:is|are) listed\)$", topic or rest)
        if more:
            self.fact(more[0], int(more[1]) == len({c.casefold() for c in trial.conditions}) - 1)
            topic, rest = topic.removesuffix(more[0]), rest.removesuffix(more[0])
        if topic:
            self.fact(topic, self._is_condition(topic))
        match = self._people(rest, "summary")
        if match and (before := rest[: match.start()]):
            self._tested(before)

    def _phase(self, text: str) -> None:
        trial = self.trial
        if re.search(r"phase (?:and type )?not stated", text):
            self.fact(text, not trial.phases)
        elif "no phase applies" in text:
            self.fact(text, set(trial.phases) == {"NA"})
        elif "phase" in text:
            said = {f"PHASE{digit}" for digit in re.findall(r"\d", text)}
            self.fact(text, set(trial.phases) == ({"EARLY_PHASE1"} if "early" in text else said))

    def _who(self, text: str) -> None:
        trial = self.trial
        match = re.match(
            r"It is for (people of any sex|women and girls|men and boys|women|men|girls|boys|people)", text
        )
        self.fact(text, match)
        if match:
            sexes = {"people of any sex": "ALL", "people": None}
            sex = sexes.get(match[1], "MALE" if match[1] in {"men and boys", "men", "boys"} else "FEMALE")
            self.fact(match[0], trial.sex == sex)
            if match[1] in {"women", "men"}:
                self.fact(match[0], (trial.minimum_age or 0) >= 18)
            if match[1] in {"girls", "boys"}:
                self.fact(match[0], trial.maximum_age is not None and trial.maximum_age < 18)
        self._ages(text)
        self._how_many(text)
        self._places(text)
        for gap, stated in (
            ("sex", trial.sex),
            ("age limits", trial.minimum_age is not None or trial.maximum_age is not None),
        ):
            if bracket := re.search(r"\(([^()]*) not stated\)", text):
                self.fact(f"{gap} not stated", (gap in bracket[1]) == (not stated))
        self.fact("healthy", ("healthy people may join" in text) == bool(trial.healthy_volunteers))

    def _ages(self, text: str) -> None:
        low, high = self.trial.minimum_age, self.trial.maximum_age
        said_low: float | None = None
        said_high: float | None = None
        unit = r"(\d+(?:\.\d+)?)(?: (year|month|week|day|hour|minute)s?)?"
        if "of any age" in text:
            said_low = 0.0
        elif match := re.search(rf"aged from {unit} to {unit}", text):
            last = match[4] or "year"
            said_low = float(match[1]) / _UNITS[match[2] or last]
            said_high = float(match[3]) / _UNITS[last]
        elif match := re.search(rf"aged {unit} and older", text):
            said_low = float(match[1]) / _UNITS[match[2]]
        elif match := re.search(rf"aged up to {unit}", text):
            said_high = float(match[1]) / _UNITS[match[2]]
            said_low = low if low == 0 else None
        elif match := re.search(rf"aged {unit}", text):
            said_low = said_high = float(match[1]) / _UNITS[match[2]]
        for name, said, stated in (("minimum age", said_low, low), ("maximum age", said_high, high)):
            same = said is None and stated is None
            if said is not None and stated is not None:
                same = abs(said - stated) < 1e-4 * max(1.0, stated)
            self.fact(f"{name} {said} for {stated}: {text}", same)

    def _how_many(self, text: str) -> None:
        number, kind = self.trial.enrollment, self.trial.enrollment_type
        patterns: tuple[tuple[str, str | None], ...] = (
            (r"([\d,]+) (?:was|were) included", "ACTUAL"),
            (r"the plan is for ([\d,]+)", "ESTIMATED"),
            (r"the number given is ([\d,]+)", None),
        )
        for pattern, expected in patterns:
            if match := re.search(pattern, text):
                self.fact(text, (int(match[1].replace(",", "").strip()), expected) == (number, kind))
                return
        if "nobody was included" in text:
            self.fact(text, (number, kind) == (0, "ACTUAL"))
        else:
            self.fact(text, re.search(r"how many (?:is|and where are) not stated", text) and number is None)

    def _places(self, text: str) -> None:
        sites = self.trial.sites
        match = re.search(r",(?: at ([\d,]+) sites?(?:, country not stated| in ([^;]*))?| in ([^;]*))", text)
        if not match:
            self.fact(text, re.search(r"where (?:is|are) not stated", text) and not sites)
            return
        stated = {fold(" ".join(reversed(c.split(", ")))): c for c in self.trial.countries if fold(c)}
        bare = bool(stated) and any(
            (site.country or "").strip() and site == Site(country=site.country) for site in sites
        )
        self.fact(text, bare if match[1] is None else not bare and int(match[1].replace(",", "")) == len(sites))
        said = match[2] or match[3]
        if said is None:
            self.fact(text, not stated)
            return
        left = re.search(r" and (\d+) more countries$", said)
        named = said.removesuffix(left[0]) if left else said
        found = [fold(re.sub(r"^the ", "", part)) for part in re.split(r",? and (?=[A-Zt])|, ", named)]
        if fold(re.sub(r"^the ", "", named)) in stated:
            found = [fold(re.sub(r"^the ", "", named))]
        for name in found:
            self.fact(f"{name} is no country of it", name in stated)
        self.fact(text, len(found) + int(left[1] if left else 0) == len(stated))

    def _why(self, text: str) -> None:
        trial = self.trial
        looks = re.search(r"mainly looks at (.*?)(?:; its aim is not stated)?$", text)
        if match := re.search(r"Its aim is (.*?)(?:, and it mainly|; what it mainly|$)", text):
            self.fact(text, _AIMS.get(match[1], match[1].upper().replace(" ", "_")) == trial.primary_purpose)
        if "its aim is not stated" in text:
            self.fact(text, not trial.primary_purpose)
        if "mainly looks at is not stated" in text:
            self.fact(text, not any(map(fold, self.measures)))
        elif looks:
            self._looks(looks[1].removesuffix(", among other things"))

    def _looks(self, text: str) -> None:
        if quote := re.fullmatch(r"“(.*)”", text):
            start = fold(quote[1].removesuffix("…"))
            bare = [re.sub(r"\s*[(\[{（][^()\[\]{}（）]*[)\]}）]", "", measure) for measure in self.measures]
            self.fact(text, any(start in fold(measure) for measure in [*self.measures, *bare]))
            return
        left = text
        for phrase, stems in sorted(_EVIDENCE.items(), key=lambda item: -len(item[0])):
            if phrase in left:
                left = left.replace(phrase, "", 1)
                self.fact(phrase, any(re.search(stems, measure, re.IGNORECASE) for measure in self.measures))
        self.fact(f"looks at: {left}", re.fullmatch(r"[\s,]*(?:and)?[\s,]*", left))

    # --- names ---

    def _people(self, text: str, where: str) -> re.Match[str] | None:
        """The last group of people in the text, with its number, its ages and its condition."""
        found = list(re.finditer(rf"(?:^|(?<= in )|(?<= for ))(?:([\d,]+) )?({_PEOPLE})(?: with (.*))?$", text))
        found = found or list(re.finditer(rf"(?:(?<= in )|(?<= for ))(?:([\d,]+) )?({_PEOPLE})(?= with )", text))
        self.fact(f"no people in {where}: {text}", found)
        if not found:
            return None
        match, trial = found[0], self.trial
        if match[1]:
            self.fact(text, int(match[1].replace(",", "")) == trial.enrollment)
        who = match[2]
        if re.search(r"adult|\bwom[ae]n$|\bm[ae]n$", who):
            self.fact(text, (trial.minimum_age or 0) >= 18)
        if re.search(r"child|^girls?$|^boys?$", who):
            self.fact(text, trial.maximum_age is not None and trial.maximum_age < 18)
        if re.search(r"wom[ae]n|girl", who):
            self.fact(text, trial.sex == "FEMALE")
        elif re.search(r"\bm[ae]n|boy", who):
            self.fact(text, trial.sex == "MALE")
        if "healthy" in who:
            self.fact(text, any("healthy" in condition.lower() for condition in trial.conditions))
        had = match[3] if len(match.groups()) == 3 else text[match.end() :].removeprefix(" with ")
        if had:
            self.fact(f"{had} is no condition of it", self._is_condition(had))
            self.fact("all who join have it", not trial.healthy_volunteers)
        return match

    def _is_condition(self, text: str) -> bool:
        text = text.strip("“”…")
        names = self.trial.conditions
        return any(set(words(text)) <= set(words(name)) or fold(text) in fold(name) for name in names)

    def _tested(self, text: str) -> None:
        """What stands before the people: names, what they are compared with, and how many more there are."""
        trial = self.trial
        text = re.sub(r" (?:in|for) ?$", "", text).strip()
        if text == "something that is not stated,":
            self.fact(text, not trial.interventions)
            return
        if not trial.interventions or text.lower() in _EVIDENCE:
            self._looks(text.lower())
            return
        registered = [i.name for i in trial.interventions]
        for place, part in enumerate(re.split(r" against ", text)):
            if self._is_name(part, registered):
                self.fact(part, True)
                continue
            if more := re.search(r",? and (\d+) more$", part):
                self.fact(part, int(more[1]) < len({name.casefold() for name in registered}))
                part = part.removesuffix(more[0])
            for name in self._names(part, registered):
                if name == "placebo" and place:
                    arms = any(arm.type == "PLACEBO_COMPARATOR" for arm in trial.arms)
                    self.fact(text, arms or any("placebo" in name.lower() for name in registered))
                elif name == "a sham treatment" and place:
                    arms = any(arm.type == "SHAM_COMPARATOR" for arm in trial.arms)
                    self.fact(text, arms or any("sham" in name.lower() for name in registered))
                elif name.lower() in _KINDS:
                    code = _KINDS[name.lower()]
                    self.fact(text, any((i.type or "") == code or not code for i in trial.interventions))
                else:
                    self.fact(f"{name} is not tested: {text}", self._is_name(name, registered))

    def _is_name(self, text: str, registered: Iterable[str]) -> bool:
        bare = (re.sub(r"\s*[(\[{（][^()\[\]{}（）]*[)\]}）]", "", name) for name in registered)
        return bool(fold(text)) and any(fold(text) in fold(name) for name in [*registered, *bare])

    def _names(self, text: str, registered: list[str]) -> list[str]:
        """The list taken apart at commas and "and", but not within a registered name."""
        is_name: Callable[[str], bool] = lambda part: self._is_name(part, registered)  # noqa: E731
        pieces = re.split(r"(,? and |, )", text)
        found, at = [], 0
        while at < len(pieces):
            end = len(pieces)
            while end > at + 1 and not is_name("".join(pieces[at:end])):
                end -= 2
            found.append("".join(pieces[at:end]))
            at = end + 1
        return found
