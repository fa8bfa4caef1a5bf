"""The syntax of UIDs (PS3.5 9.1)."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dcmsend.uids import is_valid_uid

SYNTAX = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
COMPONENTS = st.lists(st.sampled_from(["0", "1", "10", "00", "01", "", "840", "x", "٣", "1\n", "²"]), max_size=24)


@given(st.one_of(st.text("0123.", max_size=70), COMPONENTS.map(".".join), st.text(max_size=4)))
def test_a_uid_is_valid_if_it_is_made_of_numbers_without_leading_zeros(uid: str) -> None:
    assert is_valid_uid(uid) == (len(uid) <= 64 and SYNTAX.fullmatch(uid) is not None)
