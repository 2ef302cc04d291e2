"""States, provinces and territories by the codes that GeoNames gives them; those of the USA come with the gazetteer.

Names and postal abbreviations are those of the countries themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

_TABLE = """
AU 01 Australian Capital Territory|ACT
AU 02 New South Wales|NSW
AU 03 Northern Territory|NT
AU 04 Queensland|QLD
AU 05 South Australia|SA
AU 06 Tasmania|TAS
AU 07 Victoria|VIC
AU 08 Western Australia|WA
BR 01 Acre|AC
BR 02 Alagoas|AL
BR 03 Amapá|AP
BR 04 Amazonas|AM
BR 05 Bahia|BA
BR 06 Ceará|CE
BR 07 Distrito Federal|DF|Federal District
BR 08 Espírito Santo|ES
BR 11 Mato Grosso do Sul|MS
BR 13 Maranhão|MA
BR 14 Mato Grosso|MT
BR 15 Minas Gerais|MG
BR 16 Pará|PA
BR 17 Paraíba|PB
BR 18 Paraná|PR
BR 20 Piauí|PI
BR 21 Rio de Janeiro|RJ
BR 22 Rio Grande do Norte|RN
BR 23 Rio Grande do Sul|RS
BR 24 Rondônia|RO
BR 25 Roraima|RR
BR 26 Santa Catarina|SC
BR 27 São Paulo|SP
BR 28 Sergipe|SE
BR 29 Goiás|GO
BR 30 Pernambuco|PE
BR 31 Tocantins|TO
CA 01 Alberta|AB
CA 02 British Columbia|BC
CA 03 Manitoba|MB
CA 04 New Brunswick|NB
CA 05 Newfoundland and Labrador|NL|Newfoundland
CA 07 Nova Scotia|NS
CA 08 Ontario|ON
CA 09 Prince Edward Island|PE|PEI
CA 10 Quebec|QC|Québec
CA 11 Saskatchewan|SK
CA 12 Yukon|YT|Yukon Territory
CA 13 Northwest Territories|NT
CA 14 Nunavut|NU
IN 01 Andaman and Nicobar Islands|AN
IN 02 Andhra Pradesh|AP
IN 03 Assam|AS
IN 05 Chandigarh|CH
IN 07 Delhi|DL|National Capital Territory of Delhi
IN 09 Gujarat|GJ
IN 10 Haryana|HR
IN 11 Himachal Pradesh|HP
IN 12 Jammu and Kashmir|JK
IN 13 Kerala|KL
IN 14 Lakshadweep|LD
IN 16 Maharashtra|MH
IN 17 Manipur|MN
IN 18 Meghalaya|ML
IN 19 Karnataka|KA
IN 20 Nagaland|NL
IN 21 Odisha|OD|OR|Orissa
IN 22 Puducherry|PY|Pondicherry
IN 23 Punjab|PB
IN 24 Rajasthan|RJ
IN 25 Tamil Nadu|TN
IN 26 Tripura|TR
IN 28 West Bengal|WB
IN 29 Sikkim|SK
IN 30 Arunachal Pradesh|AR
IN 31 Mizoram|MZ
IN 33 Goa|GA
IN 34 Bihar|BR
IN 35 Madhya Pradesh|MP
IN 36 Uttar Pradesh|UP
IN 37 Chhattisgarh|CG|CT
IN 38 Jharkhand|JH
IN 39 Uttarakhand|UK|UT|Uttaranchal
IN 40 Telangana|TG|TS
IN 41 Ladakh|LA
IN 52 Dadra and Nagar Haveli and Daman and Diu|DH
"""
COUNTRIES = ("AU", "BR", "CA", "IN", "US")
"""Countries whose regions are known."""


def rows() -> Iterator[tuple[str, str, list[str]]]:
    """ISO 3166 code of the country, the region's GeoNames code, and its names, the usual one first."""
    for line in filter(None, _TABLE.splitlines()):
        country, code, names = line.split(" ", 2)
        yield country, code, names.split("|")
