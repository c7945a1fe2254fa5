"""The raw log: every message, no secret."""

from __future__ import annotations

import pytest

from fix.rawlog import redacted


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("8=FIX.4.2\x0135=A\x0195=3\x0196=abc\x0110=1\x01", "8=FIX.4.2\x0135=A\x0195=3\x0196=***\x0110=1\x01"),
        (
            "8=FIX.4.4\x0135=A\x01553=me\x01554=hunter2\x01925=next\x0110=1\x01",
            "8=FIX.4.4\x0135=A\x01553=me\x01554=***\x01925=***\x0110=1\x01",
        ),
        ("8=FIX.4.2\x0135=D\x0111=554=x\x0110=1\x01", "8=FIX.4.2\x0135=D\x0111=554=x\x0110=1\x01"),
    ],
)
def test_secrets_are_blotted_out_and_nothing_else(text: str, clean: str) -> None:
    """RawData, Password and NewPassword."""
    assert redacted(text) == clean
