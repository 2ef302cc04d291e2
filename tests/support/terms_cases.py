"""A small medicine for the tests of terms."""

from __future__ import annotations

from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.plugin.interfaces import Concept


def disease(name: str, *names: str, id: str | None = None, broader: str = "") -> Concept:
    return Concept(name, names, id or f"EX:{name.replace(' ', '-')}", "disease", tuple(filter(None, [broader])))


CONCEPTS = [
    disease("disease", id="EX:root"),
    disease("cancer", "malignant tumor", broader="EX:root"),
    disease("breast cancer", "breast carcinoma", broader="EX:cancer"),
    disease("triple-negative breast cancer", broader="EX:breast-cancer"),
    disease("ductal breast cancer", broader="EX:breast-cancer"),
    disease("lung cancer", broader="EX:cancer"),
    disease("non-small cell lung cancer", "NSCLC", broader="EX:lung-cancer"),
    disease("acute lymphoblastic leukemia", "ALL", broader="EX:cancer"),
    disease("systemic lupus erythematosus", "SLE", "Lupus Erythematosus, Systemic", broader="EX:root"),
    disease("lupus nephritis", broader="EX:systemic-lupus-erythematosus"),
    disease("multiple sclerosis", "MS"),
    disease("toxic epidermal necrolysis", "TENS"),
    disease("acquired immunodeficiency syndrome", "AIDS"),
    disease("feline allergy", "CAT"),
    disease("diabetes mellitus", "diabetes"),
    disease("type 2 diabetes mellitus", "type 2 diabetes"),
    disease("sepsis"),
    disease("asthma"),
    disease("hypertension", "HTN"),
    disease("myocardial infarction", "MI"),
    disease("pulmonary embolism"),
    disease("kidney disease"),
    disease("chronic kidney disease", "CKD"),
    disease("Crohn's disease"),
    disease("Sjögren's syndrome"),
    disease("anemia"),
    disease("beta thalassemia"),
    disease("COVID-19"),
    disease("pre-eclampsia"),
    disease("stroke"),
    disease("tuberculosis"),
    disease("depression"),
    disease("Parkinson's disease", "PD"),
    disease("postural orthostatic tachycardia syndrome", "POTS"),
    Concept("myocardial infarction", ("heart attack",), kind="lay"),
    Concept("tuberculosis", ("t.b.", "consumption"), kind="lay"),
    Concept("fever", ("high temperature",), kind="symptom"),
    Concept("chest pain", ("pain in the chest",), kind="symptom"),
    Concept("cough", kind="symptom"),
    Concept("status post", ("s/p",), kind="abbreviation"),
    Concept("history of", ("h/o",), kind="abbreviation"),
    Concept("emergency department", ("a&e",), kind="british"),
    Concept("HER2", ("ERBB2",), kind="abbreviation"),
    Concept("HIV", kind="abbreviation"),
]
TERMS = ConceptRecognizer(CONCEPTS)
