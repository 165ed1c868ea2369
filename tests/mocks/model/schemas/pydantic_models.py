"""Schemas as pydantic makes them of the models that people answer with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import (
    AnyUrl,
    Base64Str,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    JsonValue,
    RootModel,
    SecretStr,
    StringConstraints,
    TypeAdapter,
)
from typing_extensions import TypedDict

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Priority(IntEnum):
    LOW = 1
    HIGH = 2


class Address(BaseModel):
    street: str
    city: str
    postcode: Annotated[str, StringConstraints(pattern=r"^\d{4,5}$")]
    country: Literal["AT", "DE", "CH"] = "AT"


class Person(BaseModel):
    """A person.

    With a text of several lines, as models have them.
    """

    name: str = Field(min_length=1, max_length=200)
    age: int = Field(ge=0, le=130)
    email: str | None = Field(default=None, json_schema_extra={"format": "email"})
    addresses: list[Address] = Field(min_length=1, max_length=3)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(gt=0, lt=10)


class Dog(BaseModel):
    kind: Literal["dog"]
    breed: str


class Fish(BaseModel):
    kind: Literal["goldfish", "koi"]
    litres: float = Field(gt=0, multiple_of=0.5)


class Owner(BaseModel):
    pet: Cat | Dog | Fish = Field(discriminator="kind")
    others: list[Annotated[Cat | Dog, Field(discriminator="kind")]]


class Loose(BaseModel):
    value: int | str | list[float] | None
    either: Cat | Person


class Node(BaseModel):
    label: str
    children: list["Node"] = Field(min_length=0)
    parent: "Node | None" = None


class Chain(BaseModel):
    head: int
    tail: "Chain | None"


class Sum(BaseModel):
    operator: Literal["+", "-"]
    left: "Expression"
    right: "Expression"


class Number(BaseModel):
    value: float


class Expression(BaseModel):
    of: Sum | Number


class Company(BaseModel):
    name: str
    departments: list["Department"] = Field(min_length=1)


class Department(BaseModel):
    head: Person
    parts: list["Department"]
    company: Company | None = None


class Timestamps(BaseModel):
    created: datetime
    day: date
    at: time
    lasted: timedelta


class Network(BaseModel):
    identifier: UUID
    page: HttpUrl
    link: AnyUrl
    four: IPv4Address
    six: IPv6Address


class Bounds(BaseModel):
    probability: float = Field(ge=0, le=1)
    percentage: int = Field(ge=0, le=100, multiple_of=5)
    negative: float = Field(lt=0)
    tight: float = Field(gt=0.1, lt=0.11)
    narrow: int = Field(gt=6, lt=8)
    huge: int = Field(ge=10**12)
    steps: float = Field(ge=0.05, le=0.2, multiple_of=0.05)


class Texts(BaseModel):
    code: str = Field(pattern=r"^[A-Z]{3}-\d{3}(?:-[a-f0-9]+)?$")
    words: str = Field(pattern=r"^\w+(\s\w+){2,4}$")
    somewhere: str = Field(pattern="ab+c")
    short: str = Field(min_length=3, max_length=5)
    exact: str = Field(min_length=64, max_length=64)
    long: str = Field(min_length=500)


class Money(BaseModel):
    amount: Decimal = Field(ge=0, max_digits=9, decimal_places=2)
    free: Decimal


class Tables(BaseModel):
    counts: dict[str, int]
    people: dict[str, Person]
    keyed: dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")], float]
    filled: dict[str, bool] = Field(min_length=2)
    coloured: dict[Colour, int]


class Pair(NamedTuple):
    left: int
    right: str


class Shapes(BaseModel):
    point: tuple[float, float]
    mixed: tuple[int, str, Colour]
    pair: Pair
    many: tuple[int, ...]
    nothing: tuple[()]


class Collections(BaseModel):
    tags: set[str] = Field(min_length=3)
    colours: frozenset[Colour] = Field(min_length=3)
    dice: Annotated[set[Annotated[int, Field(ge=1, le=6)]], Field(min_length=4, max_length=6)]
    matrix: list[Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(min_length=2)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Literal["Report"] = "Report"
    score: Literal[1, 2, 3, 5, 8]
    accepted: Literal[True]
    colour: Colour
    priority: Priority


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    name: str


class Anything(BaseModel):
    anything: Any
    value: JsonValue
    nothing: None
    mapping: dict[str, Any]
    items: list[Any]


class Page(BaseModel, Generic[T]):
    items: list[T] = Field(min_length=1)
    total: int = Field(ge=0)
    next: str | None = None


class Secrets(BaseModel):
    password: SecretStr
    blob: bytes
    encoded: Base64Str


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    user_name: str = Field(alias="userName", description="The name.", examples=["ada"])
    with_default: int = 3
    factory: list[str] = Field(default_factory=list)
    odd: str = Field(alias="an odd/name~with$signs")


class Movie(TypedDict):
    title: str
    year: int


@dataclass
class Step:
    explanation: str
    output: str


class Names(RootModel[list[Annotated[str, StringConstraints(min_length=2)]]]):
    pass


class Invoice(BaseModel):
    number: Annotated[str, StringConstraints(pattern=r"^INV-\d{6}$")]
    issued: date
    lines: list["Line"] = Field(min_length=1)
    customer: Person
    payment: "Transfer | Card" = Field(discriminator="method")


class Line(BaseModel):
    description: str
    quantity: int = Field(ge=1)
    unit_price: float = Field(ge=0)
    discount: float | None = Field(default=None, ge=0, le=1)


class Transfer(BaseModel):
    method: Literal["transfer"]
    iban: str = Field(pattern=r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$")


class Card(BaseModel):
    method: Literal["card"]
    last_digits: str = Field(pattern=r"^\d{4}$")


Invoice.model_rebuild()
Company.model_rebuild()
Expression.model_rebuild()

TYPES: Mapping[str, Any] = {
    "person": Person,
    "discriminated union": Owner,
    "plain union": Loose,
    "tree": Node,
    "linked list": Chain,
    "expression": Expression,
    "mutual recursion": Company,
    "times": Timestamps,
    "network": Network,
    "bounds": Bounds,
    "texts": Texts,
    "decimals": Money,
    "tables": Tables,
    "tuples": Shapes,
    "sets": Collections,
    "constants": Strict,
    "typed extras": Open,
    "anything": Anything,
    "generic": Page[Person],
    "secrets": Secrets,
    "aliases": Aliased,
    "typed dictionary": Movie,
    "dataclass": Step,
    "root": Names,
    "invoice": Invoice,
    "list of a union": list[Cat | Dog],
}

PYDANTIC: Mapping[str, dict[str, Any]] = {
    name: TypeAdapter(each).json_schema() for name, each in TYPES.items()
}
