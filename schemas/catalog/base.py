"""What every model of the catalog and of commands is made of: the base class, refusals, and choices between forms."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    GetCoreSchemaHandler,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError


class Literal(str):
    """A number's literal text as it stands in a YAML or JSON file: a number that has lost nothing."""


def wrong(problem: str, remedy: str, at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """A refusal: what is wrong with the value (or with what stands `at` a path in it), and what to write instead."""
    return PydanticCustomError(
        "wrong", "{problem}; {remedy}", {"problem": problem, "remedy": remedy, "at": at}
    )


class Made:
    """A type that is made at run time, for use as `Annotated[Any, Made(…)]`: pydantic reads the type within."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(self._made)


def choice(word: Any, mapping: Any, more: Any = None) -> Made:
    """A type that is a word or a mapping, told apart by form alone, so that an error names only what is meant.

    `more` is a second mapping, the one with the field `every`.
    """

    def form(value: object) -> str:
        if more is not None and (isinstance(value, more) or (isinstance(value, dict) and "every" in value)):
            return "every"
        return "mapping" if isinstance(value, dict | mapping) else "word"

    members: Any = Annotated[word, Tag("word")] | Annotated[mapping, Tag("mapping")]
    if more is not None:
        members = members | Annotated[more, Tag("every")]
    return Made(Annotated[members, Discriminator(form)])


class Model(BaseModel):
    """A mapping of the catalog: unknown fields are refused, values are held canonically."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _remember(cls, data: Any, info: ValidationInfo) -> Any:
        """Note which model read which mapping, so that an unknown field can name the ones that it may have meant."""
        if isinstance(info.context, dict) and isinstance(data, dict):
            info.context[id(data)] = cls
        return data


def field_names(model: type[BaseModel]) -> list[str]:
    """The fields of a model as files write them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """The known name that is meant, most likely."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return close[0] if close else None
