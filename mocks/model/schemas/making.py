"""From the JSON text of a schema to its templates, each checked.

Several are made of a schema at once, when it is first asked for: in a trial that is the warm-up, so
that no session pays for it.
"""

from dataclasses import dataclass
from random import Random

from msgspec.json import decode as from_json

from .building import Builder
from .document import Document
from .errors import IntricateError, NoInstanceError
from .templates import FreeText, Template, lorem, template_of

VARIANTS = 16
"""How many templates are made of a schema."""

_TRIES = 8
_ALIKE = 12


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a schema.

    Attributes:
        document: The schema.
        templates: Its templates; none is without an instance.
        depends_on_texts: Whether an instance may become invalid by the texts of its free strings.
    """

    document: Document
    templates: tuple[Template, ...]
    depends_on_texts: bool

    def filled(self, number: int, text: FreeText) -> str:
        """Return an instance as JSON text.

        Args:
            number: Which template to take, counted around.
            text: Makes the free strings.

        Raises:
            NoInstanceError: With these texts there is none.
        """
        count = len(self.templates)
        if not self.depends_on_texts:
            return self.templates[number % count].filled(text)
        for each in range(number, number + count):
            instance = self.templates[each % count].filled(text)
            violation = self.document.violation(from_json(instance))
            if violation is None:
                return instance
        raise violation or NoInstanceError("#", "it has no instance")


def templates_of(schema: bytes, *, is_lean: bool) -> Templates:
    """Return the templates of a schema.

    Args:
        schema: JSON text of the schema.
        is_lean: Whether to leave out what is not required, and to take defaults as they are.

    Raises:
        NoInstanceError: The schema is not valid, or has no instance that can be made.
    """
    document = Document.read(schema)
    found: list[Template] = []
    failure: NoInstanceError | None = None
    for variant in range(VARIANTS):
        try:
            template = _template(document, variant, is_lean=is_lean)
        except NoInstanceError as error:
            failure = failure or error
            if not found:  # a second try may have luck, sixteen are no better
                break
        else:
            if template not in found:
                found.append(template)
        if variant >= _ALIKE and len(found) == 1:
            break  # there is nothing to draw in it
    if not found:
        raise failure or NoInstanceError("#", "it has no instance")
    depends = document.compares_texts and any(each.free for each in found)
    return Templates(document, tuple(found), depends)


def is_instance(instance: str, schema: bytes) -> bool:
    """Return whether a JSON text is valid by a schema.

    Raises:
        NoInstanceError: The schema is not valid by its meta-schema.
    """
    return Document.read(schema).violation(from_json(instance)) is None


def _template(document: Document, variant: int, *, is_lean: bool) -> Template:
    failure = NoInstanceError("#", "it has no instance")
    for attempt in range(_TRIES):
        builder = Builder(document, Random(f"{variant}/{attempt}"), is_lean=is_lean)
        try:
            value = builder.build((document.root,), 0)
        except IntricateError:
            raise
        except NoInstanceError as error:
            failure = error
            continue
        template = template_of(value)
        violation = document.violation(from_json(template.filled(lorem)))
        if violation is None:
            return template
        failure = violation
    raise failure
