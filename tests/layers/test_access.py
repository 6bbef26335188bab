"""The policy by itself: which grant counts, for whom."""

from typing import get_args

import pytest

from cim_models.access import ACTIONS
from layers.access import PUBLIC, SYSTEM, Action, Grant, Policy, Principal

EDITOR, TOWNSHIP, MAYOR = Principal("e", "editor"), Principal("t", "township"), Principal("m", "administrator")
LOW = {"op": "<=", "args": [{"property": "height"}, 5]}
POLICY = Policy(
    (
        Grant("public", "*", "read"),
        Grant("editor", "*", "read"),
        Grant("editor", "*", "write"),
        Grant("editor", "mains", "read"),
        Grant("township", "buildings", "read", LOW),
        *(Grant("administrator", "*", action) for action in get_args(Action)),
    )
)


def may(principal: Principal, action: Action, layer: str, *, restricted: bool) -> bool:
    return POLICY.grant(principal, action, layer, restricted=restricted) is not None


@pytest.mark.parametrize(
    ("principal", "action", "layer", "restricted", "allowed"),
    [
        (PUBLIC, "read", "roads", False, True),
        (PUBLIC, "write", "roads", False, False),
        (PUBLIC, "read", "mains", True, False),
        (EDITOR, "write", "roads", False, True),
        (EDITOR, "read", "mains", True, True),
        (EDITOR, "write", "mains", True, False),
        (EDITOR, "administer", "roads", False, False),
        (TOWNSHIP, "read", "buildings", False, True),
        (TOWNSHIP, "read", "roads", False, False),
        (MAYOR, "write", "mains", True, True),
        (SYSTEM, "administer", "mains", True, True),
        (Principal("nobody", "stranger"), "read", "roads", False, False),
    ],
)
def test_who_may(principal: Principal, action: Action, layer: str, restricted: bool, allowed: bool) -> None:
    assert may(principal, action, layer, restricted=restricted) is allowed


def test_a_grant_by_name_brings_its_rows() -> None:
    grant = POLICY.grant(TOWNSHIP, "read", "buildings", restricted=False)
    assert grant is not None
    assert grant.row_filter == LOW


def test_a_grant_by_name_goes_before_the_one_on_all() -> None:
    policy = Policy((Grant("editor", "*", "read"), Grant("editor", "buildings", "read", LOW)))
    grant = policy.grant(EDITOR, "read", "buildings", restricted=False)
    assert grant is not None
    assert grant.row_filter == LOW


def test_actions_in_code_and_table_are_the_same() -> None:
    assert get_args(Action) == ACTIONS
