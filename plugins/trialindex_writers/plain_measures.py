"""What a study looks at, in everyday words: from the names of its main measures to a few plain phrases.

A phrase is used only where the measure names the thing itself; a measure that no rule knows is quoted or counted, not
guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from trialindex_writers.grammar import quoted
from trialindex_writers.plain_names import short

_FOODS = r"(?:food|milk|egg|peanut|wheat|nut|fish|sesame|soy)"
_RULES: tuple[tuple[str, str], ...] = (
    (
        "which dose people can take",
        r"maxim(?:um|al)(?:ly)? tolerated dose|(?-i:\bMTD\b)|recommended phase (?:2|II) dose|\bRP2D\b",
    ),
    (
        "side effects",
        r"\bsafe(?:ty)?\b|\btolerability|tolerance and safety|toxicit|adverse|side[- ]effect|(?-i:\bDLTs?\b)"
        r"|(?-i:\b(?:TE|TR|S)?AEs?\b)|\bcomplications?\b|cytokine release|fluid leak"
        r"|(?:(?:allerg|anaphyla|systemic|hypersensitiv|local)\w* )*reactions?"
        r" (?:to|caused by|related to|due to|after|during|associated with) (?:the )?(?:study|drug|trial|dos"
        r"|treat|medic|immunotherap|administ|inject|SCIT|SLIT|vaccin|product|build|infusion)"
        r"|(?:treatment|drug|study|dose|dosing|injection|immunotherapy)[- ](?:related|emergent|induced|associated) ",
    ),
    (
        "how long people live without their illness getting worse",
        r"(?:progression|disease|relapse|recurrence|event|metastasis)[- ]*free[- ]*survival"
        r"|(?-i:\b(?:rw-?)?(?:PFS|DFS|RFS|EFS)\b)|time to (?:disease |tumou?r )?progression",
    ),
    ("how long people live", r"overall survival|(?-i:\bOS\b)|^survival\b|\bpatient survival|survival of patients"),
    ("how many people die", r"mortality|^deaths?\b|death rate|deaths? (?:of|from) any cause"),
    (
        "how many people respond to treatment",
        r"(?:objective|overall|tumou?r|radiologic\w*|complete) (?:tumou?r )?(?:response|remission)|(?-i:\bORR\b)|RECIST"
        r"|duration of response",
    ),
    (
        "how much cancer is left in what surgery takes out",
        r"patholog\w* (?:complete )?(?:tumou?r )?(?:response|remission)|(?-i:\bM?P[CR]R\b|\b[mp]CR\b)"
        r"|complete pathologic\w* (?:response|remission)",
    ),
    ("whether the illness is held in check", r"disease control rate|(?-i:\bDCR\b)"),
    (
        "how the drug moves through the body",
        r"pharmacokinetic|\bC ?max\b|\bT ?max\b|(?-i:\bPK\b)|(?-i:\bAUC)[- ]?(?:0|inf|last|tau|\d)"
        r"|area under the \w+ concentration"
        r"|(?:maxim(?:um|al)|peak|trough) (?:observed )?(?:serum|plasma|blood|drug) concentration",
    ),
    (
        "quality of life",
        r"quality[- ]of[- ]life|(?-i:\bHRQo?L\b|\bQo[Ll]\b|\bC?DLQI\b|\bFAQL|\b[A-Z]{0,4}QLQ\b|\bSF-?(?:36|12)\b)"
        r"|(?-i:\bEQ-?5D|\bSGRQ\b|\bKCCQ)",
    ),
    ("sleep", r"\bsleep|insomnia severity|(?-i:\bISI\b)"),
    (
        "headache attacks",
        r"headache (?:attack|frequen|day|\(CH\))|(?-i:\bCH) attacks?\b|migraine (?:attack|day)|cluster headaches per"
        r"|(?:frequency|number) of (?:\w+ )?(?:cluster )?(?:headaches?|attacks?)\b(?! (?:patient|people|clinic))"
        r"|attack frequency|attacks per",
    ),
    ("pain", r"\bpain\b|analgesi|\bheadache (?:relief|response|severity|intensity)"),
    (
        "how people manage everyday tasks",
        r"disability (?:index|scale|score|status|question)|(?-i:\bODI\b)|oswestry"
        r"|activities of daily living|(?-i:\bADLs?\b|\bEDSS\b|\bmRS\b)|barthel|modified rankin|functional independence",
    ),
    ("flare-ups of the illness", r"exacerbation|\bflares?\b|flare-up|annuali[sz]ed relapse"),
    (
        "how well the illness is kept in check",
        r"(?:asthma|urticaria|rhinitis|disease|symptom) control|(?-i:\bACQ\b|\bc-?ACT\b|\bUCT\b)",
    ),
    (
        "how freely air passes the nose",
        r"nasal (?:peak )?(?:inspiratory |expiratory )?(?:air ?)?flow|peak nasal|(?-i:\bPNIF\b)|rhinomanometr"
        r"|acoustic rhinometr",
    ),
    ("a breath value", r"(?-i:\bFe?NO\b|\beNO\b)|exhaled nitric oxide"),
    (
        "how well the lungs work",
        r"(?-i:\bFEV|\bPEFR?\b|\bPC20\b)|forced expiratory|lung function|peak (?:expiratory )flow|spirometr"
        r"|bronchial hyper",
    ),
    (
        "skin signs of the illness",
        r"SCORAD|(?-i:\bEASI\b|\bIGA\b)|eczema area|investigator'?s? global|skin lesion|(?-i:\bPASI)|acne lesion",
    ),
    (
        "skin tests",
        r"skin[- ](?:prick|test)|(?<!galvanic )skin[- ]response|(?-i:\bSPT\b)|\bwheal\b|prick test|patch test",
    ),
    (
        "symptoms and use of medicines",
        r"combined (?:symptom|score)|symptom\w* (?:and|[+/]|-) ?medication|(?-i:\bT?CSMS\b|\bTCS\b|\bT?CRSS\b)",
    ),
    ("symptoms", r"symptom|(?-i:\bTNN?SS\b|SNOT|\bUAS7?\b)|\bitch|pruritus|nasal (?:congestion|obstruction)"),
    ("nasal polyps", r"nasal polyp"),
    (
        "how much of a food people can eat without a reaction",
        rf"{_FOODS} challenge|(?-i:\bDBPCFC|\bOFC\b)|(?:eliciting|reactive) dose|sustained unresponsiveness"
        rf"|ability to consume|tolerated dose of {_FOODS}|threshold dose|threshold in mg"
        rf"|(?:toleran|tolerat)\w* .{{0,40}}{_FOODS}|{_FOODS}\b.{{0,25}} toleran"
        rf"|(?:acquir|develop|complete)\w* tolerance|tolerance (?:acquisition|rate)|reactive {_FOODS} dose"
        r"|desensiti[sz]ation",
    ),
    (
        "allergic reactions",
        r"(?:allerg\w*|anaphyla\w*|systemic|hypersensitivity) (?:reaction|event)"
        r"|(?:number|rate|incidence|risk|occurrence|frequency) of anaphyla",
    ),
    (
        "antibodies",
        r"(?-i:\bs?Ig ?-?[EGAM]\d?\b|\bIGE\b)"
        r"(?![- ]*(?:or non|RD\b|related|mediated|dependent|associated|sensiti|syndrome))"
        r"|(?<!monoclonal )antibod(?:y|ies)\b(?![- ]drug)|immunoglobulin"
        r"|(?<!viral )(?<!virus )\btit(?:er|re)s?\b|immunogenicity|seroconver|seroprotect"
        r"|geometric mean (?:titer|titre|concentration)",
    ),
    (
        "cells of the immune system",
        r"eosinophil(?!ic)|basophil|lymphocyte|(?<!CAR )(?<!CAR-)\b[TB][- ]cells?\b|dendritic cell|monocyte|neutrophil",
    ),
    ("bacteria in or on the body", r"microbio(?:ta|me)"),
    (
        "blood sugar",
        r"HbA1c|h[a]?emoglobin A1c|glyc\w+ h[a]?emoglobin|time in range|(?:blood|plasma|fasting) glucose|glyc[a]?emi",
    ),
    ("blood pressure", r"blood pressure"),
    ("body weight", r"body weight|weight (?:loss|gain|change|for age)|(?-i:\bBMI\b)|body mass index"),
    (
        "low mood",
        r"\bdepressi(?:on|ve)\b|(?-i:\bPHQ|\bHAM-?D\b|\bMADRS\b|\bEPDS\b|\bBDI\b)"
        r"|patient health questionnaire|edinburgh postnatal",
    ),
    (
        "worry and stress",
        r"anxiety|\bdistress|(?:perceived|psychological|traumatic) stress|stress (?:scale|score|level)"
        r"|(?-i:\bPTSD\b|\bGAD-?7\b)",
    ),
    ("drug, drink or tobacco use", r"abstinen|\bsmoking\b|(?:opioid|substance|tobacco|alcohol) use|drinking days"),
    (
        "how well people think and remember",
        r"\bcogniti(?:on|ve) (?:function|test|task|control|score|performance|impairment|decline)"
        r"|(?-i:\bADAS-?[Cc]og|\bMMSE\b|\bMoCA\b)|\bmemory\b",
    ),
    (
        "how well a test works",
        r"sensitivity and specificity|diagnostic (?:accuracy|value|agreement|performance)|predictive value"
        r"|sensitivity of the|\bspecificity\b",
    ),
    ("whether people use it as planned", r"\badheren|treatment compliance|compliance rate|\bretention in|engagement"),
    (
        "what people think of it",
        r"\busability|\bacceptability|treatment satisfaction|satisfaction with (?:the )?treatment",
    ),
    ("whether it can be done", r"feasibility|enrol?ment rate|\bfidelity\b|\breach of\b"),
    ("whether bones grow together", r"\bfusion\b|bone union"),
    ("how well people recover after surgery", r"quality of recovery|\bQoR|recovery score"),
    ("how bad people say it is", r"visual analog|(?-i:\bVAS\b|\bNRS\b)|numeric(?:al)? rating"),
    ("fear of moving", r"kinesiophobia"),
    ("which treatments people get", r"treatment and its patterns|treatment patterns?|patterns? of (?:care|treatment)"),
    ("seizures", r"seizure"),
    ("wheezing", r"\bwheez"),
    ("whether people become allergic", r"\bsensiti[sz]ation to\b|\bsensiti[sz]ed to\b|IgE sensiti[sz]ation"),
    ("eyesight", r"visual acuity"),
    ("what people know", r"\bknowledge\b|(?<![\w-])awareness\b(?! during)|\battitude"),
    ("getting along with others", r"sociali[sz]ation|social (?:skills|functioning)"),
    ("signs of cancer in the blood", r"ctDNA"),
    ("hospital stays", r"hospitali[sz]ation"),
    (
        "whether people get better",
        r"respon(?:se|d) to treatment|treatment response|\bresponders?\b(?! index)|favou?rable response"
        r"|clinical (?:response|improvement|efficacy|effect|remission|desensiti)"
        r"|global (?:evaluation|assessment|impression)",
    ),
    ("use of medicines", r"medication (?:score|use)|use of (?:rescue )?medication|corticosteroid (?:use|dose)"),
    ("infections", r"\binfections\b|infection rate"),
    ("whether the illness comes back", r"\brecurrence|\brelapse|re-?herniation"),
    # What is looked at in most fields of medicine, the exact before the broad.
    ("heart attacks, strokes and deaths", r"major adverse (?:cardi|limb)\w*|(?-i:\bMACC?E\b)"),
    (
        "how much pain medicine people need",
        r"(?:opioid|morphine|analgesic|opiate) (?:consumption|requirement)|rescue analgesi",
    ),
    (
        "how long the numbing works",
        r"duration of (?:the )?(?:sensory |motor |nerve )?(?:block|an[a]?esthesia|analgesia)",
    ),
    ("nausea and vomiting", r"\bnausea\b|\bvomiting|\bemesis|(?-i:\bPONV\b)"),
    ("confusion (delirium)", r"\bdelirium\b"),
    ("how far people can walk in six minutes", r"(?:six|6)[- ]?min(?:ute)?s? walk|(?-i:\b6MW[DT]\b)"),
    (
        "how people walk",
        r"\bgait\b|walking (?:speed|ability|distance)|timed up and go|(?-i:\bTUG\b)|10[- ]?met(?:er|re) walk",
    ),
    ("balance", r"balance (?:scale|test|score)|berg balance|postural (?:control|stability|sway)"),
    ("muscle strength", r"(?:grip|muscle|quadriceps) strength|hand-?grip|dynamomet"),
    ("how people move", r"(?-i:\bUPDRS\b)|fugl[- ]?meyer|motor (?:function|score|performance)|range of motion"),
    ("how fit people are", r"(?-i:\bVO2)|peak oxygen|exercise (?:capacity|tolerance)|aerobic (?:capacity|fitness)"),
    ("how much people move", r"physical activity|step count|steps per day|sedentary"),
    ("how well the heart pumps", r"ejection fraction|(?-i:\bLVEF\b)|cardiac (?:output|function)|longitudinal strain"),
    ("how regularly the heart beats", r"atrial fibrillation (?:recurrence|burden)|arrhythmi|sinus rhythm"),
    ("cholesterol and other blood fats", r"\bcholesterol\b|(?-i:\bLDL(?:-C)?\b)|lipid (?:profile|level)|triglycerid"),
    (
        "how well the kidneys work",
        r"(?-i:\be?GFR\b)|glomerular filtration|creatinine clearance|serum creatinine|(?:kidney|renal) function",
    ),
    ("protein in the urine", r"proteinuria|albuminuria|(?-i:\bU[AP]CR\b)|urin\w+ (?:protein|albumin)"),
    (
        "how much virus is in the blood",
        r"viral load|(?-i:\bHIV-?1?|\bHCV|\bHBV) (?:RNA|DNA)|virologic\w* (?:response|suppression|failure)"
        r"|(?-i:\bSVR ?\d*\b)",
    ),
    ("how many people are cured", r"clinical cure|cure rate|microbiologic\w* (?:cure|eradication)|eradication rate"),
    (
        "how many people fall ill in spite of the vaccine",
        r"vaccine efficacy|(?:laboratory|virologically|PCR)[- ]confirmed",
    ),
    ("how active the illness is", r"disease activity|(?-i:\bDAS-?28|\bSLEDAI|\bBILAG|\bBASDAI\b|\bCDAI\b)"),
    ("swollen and painful joints", r"(?-i:\bACR ?-?(?:20|50|70)\b)|(?:swollen|tender) joint"),
    ("bone density", r"bone (?:mineral )?density|(?-i:\bBMD\b)"),
    ("falls", r"\b(?:number|rate|incidence|frequency) of falls\b|\bfall rate"),
    ("loss of blood", r"blood loss|(?:need for|rate of|units of) .{0,20}transfusion"),
    ("blood clots", r"thromboembol|thrombosis|(?-i:\bVTE\b|\bDVT\b)"),
    ("bleeding", r"\bbleeding\b|h[a]?emorrhage"),
    ("haemoglobin, which carries oxygen in the blood", r"(?<!glycated )(?<!glycosylated )h[a]?emoglobin(?! ?A1c)"),
    ("how many become pregnant", r"(?:clinical|ongoing) pregnanc|pregnancy rate|implantation rate"),
    ("live births", r"live[- ]births?"),
    ("births that come too early", r"preterm (?:birth|delivery|labou?r)"),
    ("how wounds heal", r"(?:wound|ulcer) (?:healing|closure)|epitheli[sz]ation"),
    ("infections", r"surgical[- ]site infection"),
    ("teeth and gums", r"(?:probing|pocket) depth|gingival|plaque index|clinical attachment"),
    ("pressure in the eye", r"intra-?ocular pressure|(?-i:\bIOP\b)"),
    ("eyesight", r"(?-i:\bBCVA\b)|visual field"),
    ("hearing", r"hearing (?:level|threshold|loss)|audiomet|pure[- ]tone"),
    ("signs of psychosis", r"(?-i:\bPANSS\b)|psychotic symptom"),
    ("attention and restlessness", r"(?-i:\bADHD)[- ](?:rating|symptom|RS)"),
    ("thoughts of suicide", r"suicid"),
    ("craving", r"\bcraving"),
    ("tiredness", r"\bfatigue|tiredness|(?-i:\bFACIT-F)"),
    ("hot flushes", r"hot fl[au]sh|vasomotor symptom"),
    ("sex life", r"(?:erectile|sexual) (?:function|dysfunction)"),
    ("leaking of urine or stool", r"incontinence"),
    ("trouble with the bladder", r"micturition|bladder diary"),
    ("how the bowel works", r"constipation|stool (?:frequency|consistency)|bowel movement"),
    ("swallowing", r"\bswallow|dysphagia"),
    ("hair growth", r"(?-i:\bSALT\b)|hair (?:growth|regrowth|count)"),
    ("body fat and shape", r"body fat|fat mass|body composition|waist circumference"),
    ("how the body handles sugar", r"insulin (?:resistance|sensitivity)|(?-i:\bHOMA)"),
    ("growth", r"growth velocity|height velocity|weight[- ]for[- ](?:age|height|length)"),
    ("signs of inflammation in the blood", r"C-reactive protein|(?-i:\b(?:hs-?)?CRP\b)"),
    ("how the transplant fares", r"(?:graft|transplant|allograft) (?:survival|loss|failure|rejection|function)"),
    ("traces of cancer that are left", r"(?:minimal|measurable) residual disease|(?-i:\bMRD\b)"),
    (
        "whether the cancer stays away where it was treated",
        r"local(?:[- ]?regional)? (?:tumou?r )?(?:control|recurrence)",
    ),
    ("time on a breathing machine", r"ventilator[- ]free|(?:duration|days) of (?:mechanical |invasive )?ventilation"),
    ("oxygen in the blood", r"oxygen saturation|(?-i:\bSpO2\b|\bPaO2)"),
    ("how long people stay in hospital", r"length of (?:hospital |ICU |intensive care )?stay|hospital stay"),
    ("malaria parasites", r"parasit\w+ (?:clearance|density|prevalence)"),
    ("costs", r"cost[- ]effective|\bcosts?\b"),
    ("how content people are", r"\bsatisfaction\b"),
    ("the strain on carers", r"caregiver (?:burden|strain)|carer burden"),
)
_BROAD: tuple[tuple[str, str], ...] = (
    ("signs in the blood or tissue", r"biomarker|cytokine|\bserum\b|\bplasma\b|\bsputum\b|gene expression"),
    ("genes", r"genotyp|polymorphism|\bmRNA\b|transcriptom|genetic|gene (?:profil|varia)"),
    ("how the immune system reacts", r"immun\w+ (?:response|reaction|change)|vaccination response"),
    ("what a scan shows", r"\bSUV|FDG uptake|\bCT scan|\bMRI\b|magnetic resonance|radiograph|tomograph"),
    ("how common it is", r"\bprevalence of|(?:percent\w*|proportion|number) of .{0,40}\bwith (?:\w+ )?allergy"),
)
"""Of these only where none of the others matches."""

_COMPILED = tuple(
    (
        tuple(phrase for phrase, _ in rules),
        re.compile("|".join(f"(?P<r{number}>{pattern})" for number, (_, pattern) in enumerate(rules)), re.IGNORECASE),
    )
    for rules in (_RULES, _BROAD)
)

_QUOTED = 70
"""How long a measure may be that is quoted."""
_WHOM = re.compile(
    r"\b(?:in|among) (?:(?!of\b)[\w-]+ ){0,4}"
    r"(?:patients|participants|subjects|people|children|women|men|adults|individuals)\b",
    re.IGNORECASE,
)
"""Where a measure goes on to tell in whom, which is not what is looked at."""


_NO_MEASURE = re.compile(r"\W*(?:primary|main|secondary)? ?(?:outcome|end ?point)s?(?: measures?)?\W*", re.IGNORECASE)
"""A heading of the form where the name of a measure should stand."""


class LooksAt(NamedTuple):
    """What is looked at.

    :param known: plain phrases, in the order of the record, each once.
    :param quoted: the first measure, or how it begins, in quotation marks, if there is no plain phrase.
    :param more: whether there is more than these say.
    """

    known: tuple[str, ...]
    quoted: str
    more: bool


def looks_at(measures: Iterable[str], shown: int = 2) -> LooksAt:
    """At most *shown* plain phrases for the measures, or the first short one of them as it is written."""
    given = [measure for measure in measures if not _NO_MEASURE.fullmatch(measure)]
    found = [plain_phrase(measure) for measure in given]
    known = list(dict.fromkeys(filter(None, found)))
    if known:
        return LooksAt(tuple(known[:shown]), "", len(known) > shown or "" in found)
    whole = next((one for one in given if len(one) <= _QUOTED), "")
    return LooksAt((), quoted(short(whole, _QUOTED) or next(iter(given), ""), _QUOTED), len(given) > 1)


@lru_cache(maxsize=1024)
def plain_phrase(measure: str) -> str:
    """The plain phrase of the rule that matches earliest in the measure; empty if none does."""
    measure = _WHOM.split(measure)[0].strip() or measure
    for phrases, rules in _COMPILED:
        found = rules.search(measure)
        if found and found.lastgroup:
            return phrases[int(found.lastgroup[1:])]
    return ""
