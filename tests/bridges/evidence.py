"""`Found` with whatever age of its evidence, so long as it has one."""

from __future__ import annotations

from router.model import Found

__all__ = ["found"]


class _Found:
    def __init__(self, order_id: str, candidates: tuple[str, ...]) -> None:
        self._said = (order_id, candidates)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Found) and (other.order_id, other.candidates) == self._said and other.as_of > 0

    def __repr__(self) -> str:
        return f"found{self._said}"

    __hash__ = None  # type: ignore[assignment]


def found(order_id: str, candidates: tuple[str, ...] = ()) -> _Found:
    """Equal to a `Found` of this order and these candidates that says when its evidence was asked for."""
    return _Found(order_id, candidates)
