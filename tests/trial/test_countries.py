"""Countries by their names in registries and in use."""

from __future__ import annotations

import pytest

from trialindex.trial.countries import country_code, country_names


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("South Korea", "Korea, Republic of", "Republic of Korea", "korea", "KR", "KOR"), "KR"),
        (("North Korea", "Korea, Democratic People's Republic of"), "KP"),
        (("United Kingdom", "UK", "GB", "England", "Scotland", "Wales"), "GB"),
        (("United States", "USA", "US", "United States of America", "America", "U.S.", "U.S.A."), "US"),
        (("Turkey", "Türkiye", "Turkey (Türkiye)", "Turkiye"), "TR"),
        (("Czechia", "Czech Republic"), "CZ"),
        (("Russia", "Russian Federation"), "RU"),
        (("Iran", "Iran, Islamic Republic of", "Iran (Islamic Republic of)"), "IR"),
        (("Netherlands", "The Netherlands", "Holland"), "NL"),
        (("Vietnam", "Viet Nam"), "VN"),
        (("Taiwan", "Taiwan, Province of China"), "TW"),
        (("Macedonia, The Former Yugoslav Republic of", "North Macedonia"), "MK"),
        (("Moldova", "Moldova, Republic of", "Republic of Moldova"), "MD"),
        (("Côte D'Ivoire", "Ivory Coast", "Cote d'Ivoire"), "CI"),
        (("Congo, The Democratic Republic of the", "Democratic Republic of the Congo"), "CD"),
        (("Tanzania", "Tanzania, United Republic of"), "TZ"),
        (("Palestinian Territories, Occupied", "Palestinian Territory, occupied", "Palestine"), "PS"),
        (("Syria", "Syrian Arab Republic"), "SY"),
        (("Laos", "Lao People's Democratic Republic"), "LA"),
        (("Brunei", "Brunei Darussalam"), "BN"),
        (("Hong Kong",), "HK"),
        (("Bolivia", "Bolivia, Plurinational State of"), "BO"),
        (("Venezuela", "Venezuela, Bolivarian Republic of"), "VE"),
        (("Cape Verde", "Cabo Verde"), "CV"),
        (("Eswatini", "Swaziland"), "SZ"),
        (("Myanmar", "Burma"), "MM"),
        (("East Timor", "Timor-Leste"), "TL"),
        (("Réunion", "Reunion"), "RE"),
        (("Libya", "Libyan Arab Jamahiriya"), "LY"),
        (("Virgin Islands (U.S.)", "U.S. Virgin Islands"), "VI"),
        (("Vatican", "Holy See (Vatican City State)"), "VA"),
        (("Narnia", "", "Korea x"), None),
    ],
)
def test_countries_have_many_names(names: tuple[str, ...], code: str | None) -> None:
    assert {name: country_code(name) for name in names} == dict.fromkeys(names, code)


def test_every_name_leads_to_its_own_code() -> None:
    names = country_names()
    assert len(names) > 300
    assert {name: code for name, code in names.items() if country_code(name) != code} == {}
