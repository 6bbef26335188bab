"""Land use codes in other schemes: the same, one of several, or not said."""

import pytest
import yaml

from cim_models import vocabulary
from cim_models.vocabulary import counterpart, land_use_schemes


@pytest.mark.parametrize(
    ("scheme", "code", "other", "codes", "exact"),
    [
        ("GB/T 21010", "0701", "TD/T 1055", ("0701",), True),
        ("GB/T 21010", "0501", "TD/T 1055", ("05H1",), False),
        ("TD/T 1055", "05H1", "GB/T 21010", ("0501", "0502", "0503", "0504", "0505", "0506", "0507"), False),
        ("TD/T 1055", "0701", "用地用海", ("0701", "0702"), False),
        ("用地用海", "1001", "TD/T 1055", ("0601",), True),
        ("GB/T 21010", "9999", "TD/T 1055", (), False),
    ],
)
def test_a_code_in_another_scheme(scheme: str, code: str, other: str, codes: tuple[str, ...], exact: bool) -> None:
    found = counterpart(scheme, code, other)
    assert (found.codes, found.exact) == (codes, exact)


def test_every_code_that_is_walked_to_is_in_its_scheme() -> None:
    folder = vocabulary.__path__[0]
    with (
        open(f"{folder}/land_use.yaml", encoding="utf-8") as lists,
        open(f"{folder}/land_use_crosswalk.yaml", encoding="utf-8") as walks,
    ):
        schemes = {
            each["scheme"]: {str(code[0]) for code in each["codes"]}
            for each in yaml.safe_load(lists)["land_use"]["schemes"]
        }
        for pair, codes in yaml.safe_load(walks).items():
            here, there = pair.split(" > ")
            assert {here, there} <= set(land_use_schemes())
            assert codes.keys() <= schemes[here]
            assert {each for some in codes.values() for each in some} <= schemes[there]
